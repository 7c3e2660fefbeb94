// May this key say this, at this index of the log? Judged from governance
// records alone.

import { fromHex, refuse } from "./bytes.js";
import { ROOT } from "./code.js";
import { keyFault, verifyStrict } from "./ed25519.js";
import { keyIdOf } from "./note.js";
import { countersignaturesOf, countersignedMessage } from "./record.js";

/** Why a claim is not permitted; tried again in the signer's next role. */
class Denied extends Error {}

const deny = (code, why = "") => {
  throw new Denied(`${code}: ${why}`);
};

/** An area covers those that share the digits it fixes. */
const covers = (area, other) => {
  if (area === null) return true;
  const step = area % 10_000 === 0 ? 10_000 : area % 100 === 0 ? 100 : 1;
  return Math.floor(area / step) === Math.floor(other / step);
};

const GOVERNS = ["root", "authority"];
const HALTS = ["root", "authority", "inspector"];
const ASSISTS = ["market", "authority", "inspector"];
const GOVERNED = ["registers", "enrols", "revokes", "grants", "withdraws"];

/** For whom the signer says to act. */
const actsFor = (claim) => claim.onBehalfOf ?? null;

/** The entity, beside the signer, whose governance judging a claim needs. */
export const governanceOf = (claim) => (GOVERNED.includes(claim.type) ? claim.entity : actsFor(claim));

const permits = (state, own, claim) => {
  const within = (area) => {
    if (!covers(own.area, area)) deny("right_missing", `${own.role} for ${own.area}, this is in ${area}`);
  };
  const areaOf = (entity) => state.entities.get(entity)?.area ?? deny("entity_unknown", entity);
  const maker = (unit) => state.made(unit)?.entity ?? deny("unit_unknown", unit);
  const ownOr = (entity, roles, areaFrom = entity) => {
    if (own.entity === entity) return;
    if (!roles.includes(own.role)) deny("right_missing", `it is ${entity}'s`);
    within(areaOf(areaFrom));
  };
  const marked = (kinds) => {
    const mark = state.marks.get(claim.target);
    if (!mark || mark.unit !== claim.unit || !kinds.includes(mark.kind)) deny("target_unknown", claim.target);
    return mark;
  };
  const issuer = () => {
    const unit = state.units.get(claim.unit);
    const found =
      claim.number === null ? unit?.made : unit?.certificates.find((held) => held.number === claim.number);
    if (!found || found.hash !== claim.target) deny("target_unknown", claim.target);
    return claim.number === null ? found.entity : found.issuer;
  };
  const other = actsFor(claim);
  if (other !== null && other !== own.entity) {
    if (!ASSISTS.includes(own.role)) deny("right_missing", `a ${own.role} acts for nobody but itself`);
    within(areaOf(other));
    return;
  }
  switch (claim.type) {
    case "registers":
    case "within":
      within(claim.area);
      return;
    case "enrols":
      within(areaOf(claim.entity));
      return;
    case "revokes":
      if (claim.from !== null && (own.entity === claim.entity || !GOVERNS.includes(own.role))) {
        deny("right_missing", "another authority may say from when on a key was compromised");
      }
      ownOr(claim.entity, GOVERNS);
      return;
    case "grants":
    case "withdraws":
      if (claim.role === "root") deny("right_missing", "the root authority is fixed");
      if (claim.role === "operator" && own.role !== "root") deny("right_missing", "the operator is named by the root");
      areaOf(claim.entity);
      within(claim.area);
      if (claim.role === "authority" && own.area === claim.area) deny("right_missing", "an authority delegates below it");
      return;
    case "tests":
      if (claim.area !== null) within(claim.area);
      return;
    case "voids":
      ownOr(issuer(), GOVERNS);
      return;
    case "supersedes":
      ownOr(issuer(), []);
      return;
    case "holds":
      ownOr(maker(claim.unit), HALTS);
      return;
    case "recalls":
      ownOr(maker(claim.unit), GOVERNS);
      return;
    case "releases": {
      const mark = marked(["hold", "sample"]);
      ownOr(mark.by, HALTS, mark.maker);
      return;
    }
    case "closes_recall": {
      const mark = marked(["recall"]);
      ownOr(mark.by, GOVERNS, mark.maker);
      return;
    }
    case "opens":
      deny("right_missing", "a ledger opens once");
      return;
    default:
  }
};

const agreed = async (entry, body, given, key, how) => {
  const signature = fromHex(given.r + given.s);
  const message = countersignedMessage(entry, body.kind, body.value);
  const holds = await verifyStrict(fromHex(key), message, signature, how);
  if (!holds) refuse("inadmissible", `countersignature_missing: ${given.key}`, entry.index);
};

const enough = (entry, found, policy) => {
  if (found >= policy.root_quorum) return;
  refuse("inadmissible", `countersignature_missing: ${found} agree, ${policy.root_quorum} are wanted`, entry.index);
};

/** The first record: signed by one of its root keys, agreed by enough. */
const opened = async (entry, body, claim, how) => {
  for (const key of claim.rootKeys) {
    const fault = keyFault(fromHex(key));
    if (fault) refuse("inadmissible", `key_unsuitable: ${key} ${fault}`, entry.index);
  }
  const ids = new Map(claim.rootKeys.map((key) => [keyIdOf(key), key]));
  const found = new Set([entry.key]);
  for (const given of countersignaturesOf(body.value)) {
    if (!ids.has(given.key)) continue;
    await agreed(entry, body, given, ids.get(given.key), how);
    found.add(given.key);
  }
  enough(entry, found.size, claim.policy);
  return { entity: ROOT, role: "root", area: null };
};

/** An act of the root authority: its own key and enough others. */
const quorum = async (state, entry, body, how) => {
  const found = new Set([entry.key]);
  for (const given of countersignaturesOf(body.value)) {
    const key = state.keys.get(given.key);
    if (!key || key.entity !== ROOT || key.revokedIndex !== null || found.has(given.key)) continue;
    await agreed(entry, body, given, key.key, how);
    found.add(given.key);
  }
  enough(entry, found.size, state.policy);
};

/** In what capacity the record was signed, if it may stand where it does. */
export const authorise = async (state, entry, body, how) => {
  const { claims, kind } = body;
  if (claims.length === 1 && claims[0].type === "opens" && state.policy === null) {
    return opened(entry, body, claims[0], how);
  }
  const key = state.keys.get(entry.key) ?? refuse("inadmissible", `key_unknown: ${entry.key}`, entry.index);
  if (key.revokedIndex !== null) refuse("inadmissible", `key_revoked: at index ${key.revokedIndex}`, entry.index);
  const grants = state.entities.get(key.entity)?.grants ?? [];
  const held = key.entity === ROOT ? [{ role: "root", area: null }] : grants;
  let nearest = `right_missing: ${kind.name} needs ${kind.signers.join(" or ")}`;
  for (const { role, area } of held.filter((one) => kind.signers.includes(one.role))) {
    const own = { entity: key.entity, role, area };
    try {
      for (const claim of claims) permits(state, own, claim);
    } catch (denied) {
      if (!(denied instanceof Denied)) throw denied;
      nearest = denied.message;
      continue;
    }
    if (role === "root") await quorum(state, entry, body, how);
    return own;
  }
  return refuse("inadmissible", nearest, entry.index);
};
