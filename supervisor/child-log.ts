// A child's output, line by line: its JSON log lines pass as they are, anything else is wrapped with the process's name.
import { StringDecoder } from 'node:string_decoder';

/** A longer line is cut into pieces, so that a child that writes without line feeds costs no memory. */
const MAX_LINE_CHARACTERS = 65_536;

/** Takes chunks of one stream of a child. `end` hands over an unfinished last line, such as the last words before an abort. */
export class ChildLog {
  readonly #passJson: (line: string) => void;
  readonly #wrap: (text: string) => void;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  /** @param passJson  gets a JSON line with its line feed; @param wrap  gets the text of any other line without it */
  constructor(passJson: (line: string) => void, wrap: (text: string) => void) {
    this.#passJson = passJson;
    this.#wrap = wrap;
  }

  push(chunk: Buffer): void {
    const text = this.#rest + this.#decoder.write(chunk);
    let from = 0;
    for (;;) {
      const end = text.indexOf('\n', from);
      if (end < 0) break;
      this.#line(text.slice(from, end));
      from = end + 1;
    }
    this.#rest = text.slice(from);
    while (this.#rest.length > MAX_LINE_CHARACTERS) {
      this.#wrap(this.#rest.slice(0, MAX_LINE_CHARACTERS));
      this.#rest = this.#rest.slice(MAX_LINE_CHARACTERS);
    }
  }

  end(): void {
    const last = this.#rest + this.#decoder.end();
    this.#rest = '';
    this.#line(last);
  }

  #line(line: string): void {
    // pino's lines always open so; a full parse of every log line would cost more than the rare oddity is worth.
    if (line.startsWith('{"level":') && line.endsWith('}')) this.#passJson(`${line}\n`);
    else if (line.trim() !== '') this.#wrap(line);
  }
}
