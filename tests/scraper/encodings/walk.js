// The same walk as in walk.py, in a browser: what its TextDecoder makes of every sequence, as SHA-256 of the texts.
async (encoding) => {
  // A new one for each body: Chromium's decoder of ISO-2022-JP keeps its state from one text to the next.
  const decode = (body) => new TextDecoder(encoding, { ignoreBOM: true }).decode(body);
  const bytes = (...parts) => new Uint8Array(parts.flat());
  const every = Array.from({ length: 256 }, (_, byte) => byte);
  const thirds = [0x0a, 0x22, 0x30, 0x3c, 0x41, 0x5c, 0x7f, 0x80, 0x8e, 0x8f, 0xa1, 0xa2, 0xb7, 0xc9, 0xfe, 0xff];
  const tokens = ["\x1b(B", "\x1b(J", "\x1b(I", "\x1b$B", "\x1b$@", "\x1b", "\x1b$", "\x1b(", "$", "B", "\x21", "\x5c",
    "\x7e", "\x0e", "\n", "\x80", "\x30\x21", "\x2d\x21"];
  const raw = (text) => Array.from(text, (character) => character.charCodeAt(0));

  function* one() { for (const a of every) yield bytes([a]); }
  function* two() { for (const a of every) for (const b of every) yield bytes([a, b]); }
  function* lines() { for (const a of every) yield bytes(every.flatMap((b) => [a, b, 10])); }
  function* three() {
    for (const a of every) yield bytes(every.flatMap((b) => thirds.flatMap((c) => [a, b, c, 10])));
  }
  function* ends() { for (const a of every) for (const b of every.slice(0x20)) yield bytes([0x41, 0x8f, a, b]); }
  function* four() {
    for (let a = 0x81; a < 0xff; a++) {
      const parts = [];
      for (let b = 0x30; b < 0x3a; b++) for (let c = 0x81; c < 0xff; c++) for (let d = 0x30; d < 0x3a; d++)
        parts.push(a, b, c, d);
      yield bytes(parts);
    }
  }
  function* escapes() {
    for (const a of tokens) for (const b of tokens) for (const c of tokens) for (const d of tokens)
      yield bytes(raw(a + b + c + d));
  }
  function* noise() {
    let state = 1;
    for (let body = 0; body < 3000; body++) {
      const parts = [];
      for (let i = 0; i < 40; i++) {
        state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
        const byte = (state >> 16) & 0xff;
        // Half of it from where the leads and digits are, so that long sequences come about and break.
        parts.push(state & 0x4000 ? byte : byte & 1 ? 0x81 + (byte % 126) : 0x30 + (byte % 12));
      }
      yield bytes(parts);
    }
  }

  const found = {};
  for (const [name, family] of Object.entries({ one, two, lines, three, ends, four, escapes, noise })) {
    let text = "";
    for (const body of family()) text += decode(body) + "\u0001";
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    found[name] = Array.from(new Uint8Array(digest).slice(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  return found;
}
