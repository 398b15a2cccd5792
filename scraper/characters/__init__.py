"""Bytes to characters and back, exactly as the Encoding Standard says (https://encoding.spec.whatwg.org/)."""
