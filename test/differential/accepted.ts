// Where the peers differ: whom we follow and why. Where Thimble differs from what is expected: its answer and why.
import type { Peer } from './record.ts';

export interface PeersDiffer {
  /** Name of the function file; `*`: any that has no entry of its own for the fact. */
  readonly function: string;
  /** `FACT` or `REQUEST > FACT`, as the record has them. */
  readonly facts: readonly string[];
  /** `standard`: none of them is right, `answer` is. */
  readonly follow: Peer | 'standard';
  readonly answer?: string;
  readonly why: string;
}

export interface ThimbleDiffers {
  readonly function: string;
  /** `FACT` or `REQUEST > FACT`. */
  readonly fact: string;
  /** What Thimble answers, exactly. */
  readonly answer: string;
  readonly why: string;
}

export const PEERS_DIFFER: readonly PeersDiffer[] = [
  { function: '*', facts: ['header content-type'], follow: 'deno', why: 'Fetch, Response.json and "extract a body": the type is as given, without a charset that nobody wrote; Bun writes one into application/json and text types.' },
  { function: 'abort', facts: ['= timeout refuses'], follow: 'deno', why: 'DOM, AbortSignal.timeout: [EnforceRange] refuses what is no length of time; workerd takes it.' },
  { function: 'answer-headers', facts: ['GET /latin > header x-latin'], follow: 'deno', why: 'Fetch: header values are byte sequences, so U+00E9 goes out as one byte; workerd sends UTF-8.' },
  { function: 'answer-types', facts: ['GET /string > header content-type', 'GET /bytes > header content-type', 'GET /buffer > header content-type', 'GET /blob > header content-type', 'GET /blob-typed > header content-type', 'GET /stream > header content-type', 'GET /view > header content-type'], follow: 'deno', why: 'Fetch, "extract a body": bytes, streams and blobs without a type have none, and text has text/plain;charset=UTF-8 in this spelling; Bun guesses.' },
  { function: 'blobs', facts: ['= other parts become text', '= parts must be iterable', '= slice type'], follow: 'deno', why: 'FileAPI and Web IDL: each part is converted to a string, null is no sequence, slice takes the type it is given; not so in Bun.' },
  { function: 'blobs', facts: ['= endings'], follow: 'deno', why: 'FileAPI, "convert line endings to native": \\n here, since this is no Windows; Bun leaves them, workerd refuses the option.' },
  { function: 'blobs', facts: ['= parts from a set'], follow: 'deno', why: 'Web IDL: a sequence is made of any iterable; Bun and workerd want an array.' },
  { function: 'blobs', facts: ['= text keeps a mark'], follow: 'deno', why: 'FileAPI, text(): UTF-8 decode, which drops the byte order mark; workerd keeps it.' },
  { function: 'blobs', facts: ['= surrogates'], follow: 'deno', why: 'Web IDL: parts are USVStrings; workerd writes lone surrogates as bytes that are no UTF-8.' },
  { function: 'body-reading', facts: ['= blob', '= blob without type'], follow: 'deno', why: 'Fetch, blob(): the type is the MIME type of the headers, serialised, and empty without one; not so in Bun.' },
  { function: 'body-reading', facts: ['= while locked'], follow: 'deno', why: 'Fetch: reading a locked body rejects and does not use it up; in Bun the body stays locked.' },
  { function: 'body-reading', facts: ['= stream of text refused'], follow: 'deno', why: 'Fetch: chunks that are no Uint8Array fail the read; Bun takes text.' },
  { function: 'body-sources', facts: ['= string', '= empty string'], follow: 'deno', why: 'Fetch, "extract a body": text has its type at once; in Bun the header is missing until the answer goes out.' },
  { function: 'body-sources', facts: ['= surrogates'], follow: 'deno', why: 'Fetch: the body is a USVString; workerd writes lone surrogates as bytes that are no UTF-8.' },
  { function: 'broken-streams', facts: ['GET /at-once > status', 'GET /at-once > header content-type', 'GET /at-once > failure', 'GET /later > status', 'GET /later > header content-type', 'GET /later > failure'], follow: 'deno', why: 'The head is out before the stream breaks: so the client sees head and parts, then the break; Bun drops the connection without what it had.' },
  { function: 'compression', facts: ['= refuses text'], follow: 'deno', why: 'Compression: a chunk that is no BufferSource is a TypeError; Bun and workerd take text.' },
  { function: 'console-shape', facts: ['= names'], follow: 'deno', why: 'Web IDL: operations have their name; some of workerd have none.' },
  { function: 'crypto-aes', facts: ['= AES-CTR wraps'], follow: 'bun', why: 'WebCrypto, AES-CTR: the counter bits wrap and the rest stays; Deno refuses it.' },
  { function: 'crypto-aes', facts: ['= wrap by AES-GCM as jwk', '= generated'], follow: 'bun', why: 'WebCrypto: usages are normalised to the order of the standard; Deno keeps the order they were given in.' },
  { function: 'crypto-derivation', facts: ['= extractable is refused'], follow: 'workerd', why: 'WebCrypto, PBKDF2 import: extractable keys are a SyntaxError (DOMException); Deno takes them, Bun throws an error of the language.' },
  { function: 'crypto-edwards', facts: ['= Ed25519 jwk'], follow: 'bun', why: 'Secure Curves: the JWK names alg Ed25519; Deno leaves it out, workerd writes EdDSA.' },
  { function: 'crypto-edwards', facts: ['= wrong usage'], follow: 'deno', why: 'WebCrypto: a SyntaxError is a DOMException; Bun throws the error of the language.' },
  { function: 'crypto-elliptic', facts: ['= export jwk'], follow: 'bun', why: 'WebCrypto, ECDSA export: the JWK has no alg, since the key does not fix the hash; Deno writes ES256.' },
  { function: 'crypto-elliptic', facts: ['= point off the curve'], follow: 'bun', why: 'WebCrypto, EC import: an invalid point is a DataError; Deno takes it.' },
  { function: 'crypto-errors', facts: ['= unknown format', '= no name'], follow: 'deno', why: 'Web IDL: a value outside of an enumeration and a missing required member are TypeErrors; workerd answers NotSupportedError.' },
  { function: 'crypto-errors', facts: ['= unknown usage'], follow: 'bun', why: 'Web IDL: KeyUsage is an enumeration, so another word is a TypeError.' },
  { function: 'crypto-errors', facts: ['= missing members'], follow: 'bun', why: 'Web IDL: required members of dictionaries that are missing are TypeErrors; Deno answers DataError.' },
  { function: 'crypto-hmac', facts: ['= no usages', '= wrong usage'], follow: 'deno', why: 'WebCrypto: a SyntaxError is a DOMException; Bun throws the error of the language.' },
  { function: 'crypto-random', facts: ['= refuses floats and views'], follow: 'workerd', why: 'Web IDL: what is no view at all is a TypeError before the method looks at its kind; Deno and Bun answer TypeMismatchError.' },
  { function: 'crypto-random', facts: ['= quota'], follow: 'deno', why: 'WebCrypto, getRandomValues: more than 65,536 bytes are a QuotaExceededError; Bun fills them.' },
  { function: 'dom-exception', facts: ['= is an error'], follow: 'deno', why: 'Web IDL: a DOMException has a stack where errors have one; Bun has none before it is thrown.' },
  { function: 'dom-exception', facts: ['= where members are', '= wrong receiver'], follow: 'deno', why: 'Web IDL: attributes are accessors on the prototype that check their receiver; workerd puts them on the object.' },
  { function: 'events', facts: ['= the same listener once', '= cancelable', '= fresh event'], follow: 'deno', why: 'DOM: capture is a key of a listener, events that are not cancelable can not be prevented, target of a fresh event is null; not so in workerd.' },
  { function: 'events', facts: ['= members while dispatched'], follow: 'bun', why: 'DOM: srcElement is target, currentTarget is null after the dispatch; Deno lacks the one, workerd the other.' },
  { function: 'events', facts: ['= PromiseRejectionEvent'], follow: 'standard', answer: '[true,"why","TypeError"]', why: 'HTML: `promise` is a required member; Deno does not ask for it, workerd has no constructor, Bun no interface.' },
  { function: 'events', facts: ['= dispatch twice at once'], follow: 'deno', why: 'DOM: InvalidStateError (DOMException); Bun throws an Error.' },
  { function: 'events', facts: ['= CustomEvent'], follow: 'bun', why: 'DOM: `detail` is null unless given; Deno and workerd have undefined.' },
  { function: 'events', facts: ['= refused'], follow: 'bun', why: 'Web IDL: a listener is an object or null; Deno takes a number.' },
  { function: 'files', facts: ['= members', '= slice is a Blob', '= class string'], follow: 'deno', why: 'FileAPI: the type is as given, a slice is a Blob and no File, the class string is File; not so in Bun.' },
  { function: 'files', facts: ['= lastModified'], follow: 'deno', why: 'Web IDL: long long has no fractions.' },
  { function: 'files', facts: ['= names'], follow: 'deno', why: 'Web IDL: the name is a USVString, so a lone surrogate is one U+FFFD.' },
  { function: 'files', facts: ['= inherits'], follow: 'deno', why: 'Web IDL: File inherits from Blob, constructor and prototype alike.' },
  { function: 'form-data', facts: ['= blob becomes a file'], follow: 'deno', why: 'XHR, "create an entry": a Blob without a name is a file named blob.' },
  { function: 'form-data', facts: ['= file gets a name'], follow: 'deno', why: 'XHR: the third argument names a file; Bun keeps the old name.' },
  { function: 'form-data', facts: ['= text with a file name'], follow: 'bun', why: 'Web IDL: the overload of three arguments takes a Blob, so text is a TypeError.' },
  { function: 'form-data', facts: ['= surrogates become characters'], follow: 'deno', why: 'Web IDL: USVString, so one U+FFFD.' },
  { function: 'form-data', facts: ['= class string'], follow: 'deno', why: 'Web IDL: the iterator is called after its interface.' },
  { function: 'form-data', facts: ['= constructor argument'], follow: 'deno', why: 'Web IDL: the argument is an HTMLFormElement, which nothing here is.' },
  { function: 'global-shape', facts: ['= PromiseRejectionEvent'], follow: 'deno', why: 'ECMA-429 has the interface; Bun lacks it.' },
  { function: 'global-shape', facts: ['= fetch'], follow: 'bun', why: 'Web IDL: one required argument, so length 1.' },
  { function: 'global-shape', facts: ['= setInterval', '= setTimeout'], follow: 'bun', why: 'Web IDL: one required argument, so length 1.' },
  { function: 'global-shape', facts: ['= atob', '= btoa', '= queueMicrotask', '= reportError'], follow: 'deno', why: 'Web IDL: one required argument, so length 1; workerd has 0.' },
  { function: 'global-shape', facts: ['= structuredClone'], follow: 'standard', answer: '["function","structuredClone",1]', why: 'Web IDL: the second argument is optional, so length 1; none of the peers has it.' },
  { function: 'global-shape', facts: ['= not a browser'], follow: 'bun', why: 'A function has no storage of its own; Deno has localStorage.' },
  { function: 'headers-basics', facts: ['= JSON'], follow: 'deno', why: 'ECMA-262, CreateIterResultObject: value before done.' },
  { function: 'headers-iteration', facts: ['= entries is the iterator', '= class string of the iterator', '= appended while iterated', '= deleted while iterated'], follow: 'deno', why: 'Web IDL: entries and @@iterator are one function, the iterator is called after its interface and is live; not so in workerd.' },
  { function: 'headers-validation', facts: ['= name ""', '= name "ü"', '= value "Ā"', '= has checks the name', '= set checks the value'], follow: 'deno', why: 'Fetch: names are tokens and values bytes; workerd lets more through.' },
  { function: 'intl', facts: ['= currencies'], follow: 'bun', why: 'Its Unicode data is of the release that ours is of; the sign that groups digits in fr-CH changed after it.' },
  { function: 'message-channel', facts: ['= transfer', '= refused'], follow: 'deno', why: 'HTML: buffers move in transfer lists, postMessage wants an argument; not so in workerd.' },
  { function: 'multipart-answer', facts: ['= fields', '= unicode', '= empty', '= names are escaped', '= line ends of values'], follow: 'bun', why: 'As browsers write it: line ends of names and values are CR LF, and one ends the last boundary. Deno and workerd leave the last out, workerd the others too.' },
  { function: 'multipart-answer', facts: ['= file'], follow: 'standard', answer: '"--BOUNDARY\\r\\nContent-Disposition: form-data; name=\\"f\\"; filename=\\"x.txt\\"\\r\\nContent-Type: text/plain\\r\\n\\r\\ncontent\\r\\n--BOUNDARY--\\r\\n"', why: "The file's own type without the charset that Bun adds, and the last line end that Deno and workerd leave out." },
  { function: 'multipart-answer', facts: ['= blob'], follow: 'standard', answer: '"--BOUNDARY\\r\\nContent-Disposition: form-data; name=\\"f\\"; filename=\\"blob\\"\\r\\nContent-Type: application/octet-stream\\r\\n\\r\\nx\\r\\n--BOUNDARY--\\r\\n"', why: 'XHR: a Blob without a name is a file named blob; the last line end as before.' },
  { function: 'multipart-answer', facts: ['= file names are escaped'], follow: 'standard', answer: '"--BOUNDARY\\r\\nContent-Disposition: form-data; name=\\"f\\"; filename=\\"a%22b%0A.txt\\"\\r\\nContent-Type: text/plain\\r\\n\\r\\ncontent\\r\\n--BOUNDARY--\\r\\n"', why: 'Line ends of file names are escaped and not normalised; type and last line end as before.' },
  { function: 'multipart-answer', facts: ['= read back', '= read back escaped'], follow: 'deno', why: "The file's own type; Bun adds a charset." },
  { function: 'multipart-upload', facts: ['POST / > body'], follow: 'deno', why: "The part's own type; Bun adds a charset." },
  { function: 'multipart-upload', facts: ['unicode > body'], follow: 'bun', why: 'The type is a serialised MIME type (MIME Sniffing), without the space; Deno and workerd keep the text.' },
  { function: 'multipart-upload', facts: ['no type > body'], follow: 'standard', answer: '[["f",{"file":"x.bin","type":"text/plain","size":1,"text":"x"}]]', why: 'Fetch, formData(): a file without a type is text/plain (RFC 7578, 4.4); none of the peers says so.' },
  { function: 'multipart-upload', facts: ['empty file name > body'], follow: 'deno', why: 'A part with a filename, even an empty one, is a file.' },
  { function: 'multipart-upload', facts: ['cut short > status', 'cut short > body'], follow: 'workerd', why: 'Fetch: a body that does not parse is a TypeError; Deno drops the part, Bun throws an Error.' },
  { function: 'range-requests', facts: ['GET / > header content-type', 'first > header content-type', 'last > header content-type'], follow: 'deno', why: "The blob's own type; Bun adds a charset." },
  { function: 'reported-errors', facts: ['status', 'header content-type', '= reportError refuses nothing', '= globalThis is an event target', '= self', 'failure'], follow: 'deno', why: 'HTML, reportError: fires `error` on the global object; Bun ends its process.' },
  { function: 'reported-errors', facts: ['= reportError', '= reportError with any value'], follow: 'deno', why: 'HTML, "report an exception": the event is cancelable.' },
  { function: 'request-bodies', facts: ['POST /blob > body'], follow: 'deno', why: 'MIME Sniffing: a serialised MIME type has a lower-case essence and no spaces.' },
  { function: 'request-construct', facts: ['= method pOsT', '= refused method ""', '= refused method "a b"', '= refused method "connect"', '= refused method "Track"', '= refused method "ü"', '= GET with a body', '= HEAD with a body', '= content type of text', '= takes the body', '= used body', '= without arguments'], follow: 'deno', why: 'Fetch, Request constructor: methods are tokens and not of the forbidden ones, GET and HEAD have no body, a request gives its body away once; Bun checks none of it.' },
  { function: 'request-construct', facts: ['= method patch', '= refused method "TRACE"', '= method chicken'], follow: 'deno', why: 'Fetch: patch is not normalised, TRACE is forbidden, any other token is a method.' },
  { function: 'request-construct', facts: ['= redirect'], follow: 'deno', why: 'Fetch: `error` is a redirect mode; workerd refuses it.' },
  { function: 'request-incoming', facts: ['GET /dots/../up/./here > = href'], follow: 'bun', why: 'URL: request.url is a serialised URL, so dot segments are resolved; Deno and workerd show the raw target.' },
  { function: 'request-incoming', facts: ["GET /quotes?q=%22a%22&r='b'&s=%3Cc%3E > = href"], follow: 'bun', why: "URL: ' is in the special-query percent-encode set." },
  { function: 'request-incoming', facts: ['DELETE /delete > = hasBody', 'OPTIONS /options > = hasBody'], follow: 'bun', why: 'A request without Content-Length and Transfer-Encoding has no body (RFC 9112, 6.3), so `body` is null; Deno has an empty stream.' },
  { function: 'request-incoming', facts: ['POST /empty > = hasBody'], follow: 'bun', why: 'Nothing was sent, so there is no body to stream.' },
  { function: 'response-construct', facts: ['= body with 204', '= body with 205', '= body with 304', '= statusText refused', '= content type of text'], follow: 'deno', why: 'Fetch, "initialize a response": a null body status has no body, the reason phrase has no line breaks, text has a type; Bun checks none of it.' },
  { function: 'response-construct', facts: ['= other values become text'], follow: 'standard', answer: '["1","[object Object]","1,2"]', why: 'Web IDL: a value that is none of the union becomes a string; Deno and workerd refuse it, Bun joins arrays.' },
  { function: 'response-statics', facts: ['= json', '= json init', '= json 204', '= redirect refused URL', '= redirect has immutable headers'], follow: 'deno', why: 'Fetch: the type is application/json, 204 has no body, the URL is parsed, the headers are immutable; not so in Bun.' },
  { function: 'response-statics', facts: ['= json undefined', '= json function', '= json symbol'], follow: 'deno', why: 'Infra, "serialize a JavaScript value to JSON bytes": what has no JSON is a TypeError; workerd answers an empty body.' },
  { function: 'response-statics', facts: ['= error has immutable headers'], follow: 'deno', why: 'Fetch, Response.error: guard immutable.' },
  { function: 'streams-bytes', facts: ['= no byobRequest for default reads', '= size is refused', '= cancel with pending read'], follow: 'deno', why: 'Streams: no view to fill for a default read, byte streams have no size, a cancelled read gives undefined; not so in workerd.' },
  { function: 'streams-bytes', facts: ['= bodies are byte streams'], follow: 'workerd', why: 'Fetch, "extract a body": the stream is set up with byte reading support.' },
  { function: 'streams-bytes', facts: ['= blob streams are byte streams'], follow: 'deno', why: 'FileAPI, stream(): set up with byte reading support.' },
  { function: 'streams-iteration', facts: ['= from text'], follow: 'bun', why: 'Streams, ReadableStream.from: a string is iterable; Deno refuses it.' },
  { function: 'streams-iteration', facts: ['= values is the iterator'], follow: 'deno', why: 'Web IDL: values and @@asyncIterator are one function.' },
  { function: 'streams-pipe', facts: ['= signal'], follow: 'deno', why: 'Streams, ReadableStreamPipeTo: the signal ends a pipe that waits for its source; it hangs in workerd.' },
  { function: 'streams-readable', facts: ['= desired size', '= error from start', '= bad arguments', '= size that throws'], follow: 'deno', why: 'Streams: what the standard says of a closed stream with chunks, of start and of sizes; not so in workerd.' },
  { function: 'streams-tee', facts: ['= cancel needs both'], follow: 'deno', why: 'Streams, tee: the reason is the pair of both reasons.' },
  { function: 'streams-tee', facts: ['= bytes are copied'], follow: 'workerd', why: 'Fetch: a body is a byte stream, and tee of one gives each branch its own bytes (Streams, ReadableByteStreamTee); it is none in Deno and Bun.' },
  { function: 'streams-transform', facts: ['= refuses types'], follow: 'deno', why: 'Streams: a reserved member is a RangeError.' },
  { function: 'streams-writable', facts: ['= desired size and ready', '= write that fails', '= size', '= refuses type', '= strategies', '= strategy sizes are shared'], follow: 'deno', why: 'Streams: WritableStream with its strategy and states; workerd counts otherwise.' },
  { function: 'structured-clone', facts: ['= error of an own class', '= file'], follow: 'deno', why: 'HTML, StructuredSerialize: names of errors that are not of the language become Error, files are serialisable; not so in workerd.' },
  { function: 'structured-clone', facts: ['= error cause'], follow: 'deno', why: 'The cause of an error is kept, as in V8; Bun loses it.' },
  { function: 'structured-clone', facts: ['= transfer refused'], follow: 'bun', why: 'HTML, StructuredSerializeWithTransfer: the same object twice and what is not transferable are DataCloneErrors.' },
  { function: 'structured-clone', facts: ['= transfer of a stream'], follow: 'bun', why: 'A stream is no transferable object here: a function has one realm, so there is nowhere to move it to. Deno moves it, workerd refuses with a TypeError.' },
  { function: 'structured-clone', facts: ['= refused objects of the platform'], follow: 'bun', why: 'HTML: platform objects that are not serialisable are DataCloneErrors.' },
  { function: 'text-encoder', facts: ['= encodeInto refuses'], follow: 'deno', why: 'Web IDL: the destination is a Uint8Array; Bun takes any view.' },
  { function: 'url-hosts', facts: ['= host "xn--a.test"', '= host "xn--.test"'], follow: 'deno', why: 'UTS 46: invalid Punycode is a failure; workerd lets it through.' },
  { function: 'url-parsing', facts: ['= parts of "file://host/C|/x"'], follow: 'workerd', why: 'URL, path state: a Windows drive letter has a colon, and the host stays.' },
  { function: 'url-parsing', facts: ['= parts of "custom:/a/..//b"'], follow: 'bun', why: 'URL: no host is made of a path; Deno takes one from it.' },
  { function: 'url-parsing', facts: ['= parts of "http://a.test/{}|^`"'], follow: 'deno', why: 'The parser is that of Node 22, which like Deno leaves ^ in paths; the standard percent-encodes it since 2023, as Bun and workerd do.' },
  { function: 'url-patterns', facts: ['= test of nonsense'], follow: 'bun', why: 'URL Pattern, "match": an input that is no URL does not match, and no input is the empty one; Deno throws, workerd matches.' },
  { function: 'url-search-params', facts: ['= of a%3D%25C3%25BC%26b%3D%25FF', '= class strings'], follow: 'deno', why: 'URL: bytes that are no UTF-8 are U+FFFD, and print as that; the iterator is called after its interface.' },
  { function: 'url-setters', facts: ['= searchParams of an opaque path'], follow: 'deno', why: 'The parser is that of Node 22, which like Deno strips trailing spaces of an opaque path; the standard percent-encodes the last one since 2024, as Bun and workerd do.' },
];

const ANSWERED_FIRST = "A stream that breaks before its first chunk is answered with an error that says so: the head waits for that chunk. The peers send 200 and break off.";

export const THIMBLE_DIFFERS: readonly ThimbleDiffers[] = [
  { function: 'broken-streams', fact: 'GET /at-once > status', answer: '500', why: ANSWERED_FIRST },
  { function: 'broken-streams', fact: 'GET /at-once > header content-type', answer: 'application/problem+json', why: ANSWERED_FIRST },
  { function: 'broken-streams', fact: 'GET /at-once > failure', answer: '(no such fact)', why: ANSWERED_FIRST },
  {
    function: 'broken-streams', fact: 'GET /at-once > body', why: ANSWERED_FIRST,
    answer: '{"type":"urn:thimble:error:function_threw","title":"function threw","status":500,"code":"function_threw","detail":"the function threw","retryable":false}',
  },
  { function: 'global-shape', fact: '= clearInterval', answer: '["function","clearInterval",0]', why: 'Web IDL: the argument is optional (HTML, WindowOrWorkerGlobalScope), so length 0; the peers have 1.' },
  { function: 'global-shape', fact: '= clearTimeout', answer: '["function","clearTimeout",0]', why: 'Web IDL: the argument is optional (HTML, WindowOrWorkerGlobalScope), so length 0; the peers have 1.' },
  { function: 'structured-clone', fact: '= proxy', answer: '"no error"', why: 'Script can not tell a Proxy from its target, and the copy is made by script: it is of what the traps show.' },
  { function: 'request-construct', fact: '= credentials in the URL', answer: '"TypeError"', why: 'Fetch, Request constructor: a URL with credentials is a TypeError; the peers let them through.' },
  { function: 'request-incoming', fact: 'GET /? > = href', answer: '"http://differential.localhost/"', why: 'The HTTP server does not tell an empty query from none.' },
];
