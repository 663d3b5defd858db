// Settings that the native HTTP library reads from the environment when it is loaded: import this first.

/** What the parser itself takes; a longer head gets its own bare 431. Above the gateway's limit, so that ours answers in most cases. */
process.env['UWS_HTTP_MAX_HEADERS_SIZE'] = '32768';
