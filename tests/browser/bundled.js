// What the page's check takes from @noble: the curve's points and two hashes.
// `npm run bundle` makes trace-http/src/page/check/noble.js of it, and a test
// pins the SHA-256 of that file.
export { Point } from "@noble/ed25519";
export { sha256, sha512 } from "@noble/hashes/sha2.js";
