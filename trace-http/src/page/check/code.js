// Trace codes, dates and quantities as people read them.

/** The id under which the root keys of the first record sign. */
export const ROOT = "00".repeat(10);

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

const timesAlpha = (value) => (value & 16 ? (value << 1) ^ 0b100101 : value << 1);

/** The code of ten bytes, given in hexadecimal, in fours with its check character. */
export const showCode = (hex, prefix = "", sum = 1) => {
  let number = BigInt(`0x${hex}`);
  const digits = [];
  for (let place = 0; place < 16; place += 1) {
    digits.unshift(Number(number & 31n));
    number >>= 5n;
  }
  let check = sum ^ digits.reduceRight((total, digit) => timesAlpha(total) ^ digit, 0);
  for (let time = 0; time < 15; time += 1) check = timesAlpha(check);
  const text = [...digits, check].map((digit) => ALPHABET[digit]).join("");
  return prefix + text.match(/.{1,4}/g).join("-");
};

/** The bytes, in hexadecimal, of a code in its one spelling, or null. */
export const readCode = (text) => {
  if (!/^(?:[0-9A-HJKMNP-TV-Z]{4}-){4}[0-9A-HJKMNP-TV-Z]$/.test(text)) return null;
  const digits = [...text.replaceAll("-", "")].slice(0, 16);
  const number = digits.reduce((sum, digit) => (sum << 5n) | BigInt(ALPHABET.indexOf(digit)), 0n);
  const hex = number.toString(16).padStart(20, "0");
  return showCode(hex) === text ? hex : null;
};

const DAY_MS = 86_400_000;

/** The days that the ledger's calendar keeps: 2000-01-01 to 2199-12-31. */
export const isDay = (days) => days >= 10_957 && days <= 84_005;

export const showDay = (days) => new Date(days * DAY_MS).toISOString().slice(0, 10);

export const readDay = (text) => Math.floor(Date.parse(`${text}T00:00:00Z`) / DAY_MS);

/** A moment at so many minutes east of UTC, RFC 3339 with milliseconds. */
export const showMoment = (ms, offset) => {
  const local = new Date(Number(ms) + offset * 60_000).toISOString().slice(0, -1);
  const [sign, size] = [offset < 0 ? "-" : "+", Math.abs(offset)];
  const two = (number) => String(number).padStart(2, "0");
  return `${local}${sign}${two(Math.floor(size / 60))}:${two(size % 60)}`;
};

/** Sign, base unit, and how many of it make one. */
const UNITS = {
  gram: ["克", "gram", 1n],
  liang: ["两", "gram", 50n],
  jin: ["斤", "gram", 500n],
  kilogram: ["公斤", "gram", 1_000n],
  tonne: ["吨", "gram", 1_000_000n],
  millilitre: ["毫升", "millilitre", 1n],
  litre: ["升", "millilitre", 1_000n],
  piece: ["件", "piece", 1n],
  crate: ["箱", null, null],
  head: ["头", "piece", 1n],
  bird: ["羽", "piece", 1n],
};

const showAmount = ({ digits, decimals, unit }) => {
  const text = String(digits).padStart(decimals + 1, "0");
  const at = text.length - decimals;
  return `${text.slice(0, at)}${decimals > 0 ? "." : ""}${text.slice(at)} ${UNITS[unit][0]}`;
};

export const showQuantity = ({ stated }) =>
  stated.content === null ? showAmount(stated) : `${showAmount(stated)}×${showAmount(stated.content)}`;

const BASE_AMOUNT_MAX = 1_000_000_000_000_000n;

/** So much in base units, or null where it is not whole, nothing, or too much. */
const whole = ({ digits, decimals }, factor) => {
  if (decimals > 6) return null;
  const [product, scale] = [digits * factor, 10n ** BigInt(decimals)];
  const amount = product / scale;
  return product % scale === 0n && amount > 0n && amount <= BASE_AMOUNT_MAX ? amount : null;
};

/** Whether the base amount is exactly what was stated. */
export const isExact = ({ base_amount, base, stated }) => {
  const { content } = stated;
  let [, unit, factor] = UNITS[stated.unit];
  if ((content === null) === (stated.unit === "crate")) return false;
  if (content !== null) {
    if (content.unit === "crate") return false;
    const [, inner, times] = UNITS[content.unit];
    [unit, factor] = [inner, whole(content, times)];
    if (factor === null) return false;
  }
  return unit === base && whole(stated, factor) === base_amount;
};
