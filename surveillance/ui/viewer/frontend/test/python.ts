/** What Python's side does with a zlib stream, by node's own library. */
import { inflateSync } from "node:zlib";

export function zlib(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(inflateSync(bytes));
}
