// postcard read by published schema, strictly: what is read is written again
// and compared, so that a body has exactly one encoding.
//
// A struct is an object, a unit variant its name, another variant an object of
// one field, an option null or its value, 64-bit integers are BigInt, and plain
// bytes (ids, hashes, keys) are hexadecimal text.

import { concat, fromHex, fromUtf8, refuse, sameBytes, toHex, utf8 } from "./bytes.js";

const wrong = (why) => refuse("inadmissible", why);

const WIDTHS = { U16: 16n, U32: 32n, U64: 64n, I16: 16n, I32: 32n, I64: 64n };

const snake = (name) => name.replace(/(?<=[a-z0-9])([A-Z])/g, "_$1").toLowerCase();

/** A schema's node: the name of a plain type, or the one shape it has. */
const shapeOf = (schema) => (typeof schema.ty === "string" ? [schema.ty, null] : Object.entries(schema.ty)[0]);

const isBytes = (parts) => parts.length > 0 && parts.every((part) => part.ty === "U8");

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  take(count) {
    if (count > this.bytes.length - this.at) wrong("the bytes end early");
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  varint(width) {
    let [value, shift] = [0n, 0n];
    for (;;) {
      const [byte] = this.take(1);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) break;
      shift += 7n;
      if (shift > width) wrong("an integer too long");
    }
    if (value >> width !== 0n) wrong("an integer too large");
    return value;
  }

  length() {
    const length = this.varint(32n);
    if (length > BigInt(this.bytes.length - this.at)) wrong("a list longer than its bytes");
    return Number(length);
  }

  read(schema) {
    const [shape, parts] = shapeOf(schema);
    switch (shape) {
      case "Unit":
      case "UnitStruct":
        return null;
      case "Bool": {
        const [byte] = this.take(1);
        if (byte > 1) wrong("a truth value that is neither");
        return byte === 1;
      }
      case "U8":
        return this.take(1)[0];
      case "U16":
      case "U32":
        return Number(this.varint(WIDTHS[shape]));
      case "U64":
        return this.varint(64n);
      case "I16":
      case "I32":
      case "I64": {
        const sent = this.varint(WIDTHS[shape]);
        const value = (sent >> 1n) ^ -(sent & 1n);
        return shape === "I64" ? value : Number(value);
      }
      case "String": {
        const text = fromUtf8(this.take(this.length()));
        return text ?? wrong("text that is no UTF-8");
      }
      case "Option": {
        const [tag] = this.take(1);
        if (tag > 1) wrong("an option that is neither");
        return tag === 1 ? this.read(parts) : null;
      }
      case "NewtypeStruct":
        return this.read(parts);
      case "Seq":
        return Array.from({ length: this.length() }, () => this.read(parts));
      case "Tuple":
      case "TupleStruct":
        return isBytes(parts) ? toHex(this.take(parts.length)) : parts.map((part) => this.read(part));
      case "Struct":
        return Object.fromEntries(parts.map(({ name, ty }) => [name, this.read(ty)]));
      case "Enum": {
        const variant = parts[Number(this.varint(32n))] ?? wrong("a variant that there is not");
        const name = snake(variant.name);
        const [kind, inner] = shapeOf(variant);
        return kind === "UnitVariant" ? name : { [name]: this.variant(kind, inner) };
      }
      default:
        return refuse("cannot_check", `a schema with ${shape}, which is unknown here`);
    }
  }

  variant(kind, inner) {
    if (kind === "NewtypeVariant") return this.read(inner);
    return refuse("cannot_check", `a schema with ${kind}, which is unknown here`);
  }
}

const varint = (value) => {
  const bytes = [];
  let rest = BigInt(value);
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
};

/** The canonical bytes of a value. */
export const encode = (schema, value) => {
  const [shape, parts] = shapeOf(schema);
  switch (shape) {
    case "Unit":
    case "UnitStruct":
      return new Uint8Array(0);
    case "Bool":
      return Uint8Array.of(value ? 1 : 0);
    case "U8":
      return Uint8Array.of(value);
    case "U16":
    case "U32":
    case "U64":
      return varint(value);
    case "I16":
    case "I32":
    case "I64": {
      const signed = BigInt(value);
      return varint(signed < 0n ? -2n * signed - 1n : 2n * signed);
    }
    case "String": {
      const bytes = utf8(value);
      return concat(varint(bytes.length), bytes);
    }
    case "Option":
      return value === null ? Uint8Array.of(0) : concat(Uint8Array.of(1), encode(parts, value));
    case "NewtypeStruct":
      return encode(parts, value);
    case "Seq":
      return concat(varint(value.length), ...value.map((one) => encode(parts, one)));
    case "Tuple":
    case "TupleStruct":
      return isBytes(parts) ? fromHex(value) : concat(...parts.map((part, at) => encode(part, value[at])));
    case "Struct":
      return concat(...parts.map(({ name, ty }) => encode(ty, value[name])));
    default: {
      const name = typeof value === "string" ? value : Object.keys(value)[0];
      const at = parts.findIndex((variant) => snake(variant.name) === name);
      const [, inner] = shapeOf(parts[at]);
      return typeof value === "string" ? varint(at) : concat(varint(at), encode(inner, value[name]));
    }
  }
};

/** Reads exactly the bytes that [`encode`] makes, and no others. */
export const decode = (schema, bytes) => {
  const reader = new Reader(bytes);
  const value = reader.read(schema);
  if (reader.at !== bytes.length) wrong(`${bytes.length - reader.at} bytes are left over`);
  if (!sameBytes(encode(schema, value), bytes)) wrong("not the canonical encoding of its value");
  return value;
};
