//! Who is granted which route: one line each.

use trace_core::record::Role;
use trace_fixtures::Who;

/// What concerns whom.
#[derive(Debug, Clone, Copy)]
pub enum Of {
    /// The unit that the producer made and the cold store keeps.
    Unit,
    /// What concerns one entity.
    Entity(Who),
    /// The producer's area as a whole.
    Area,
}

/// Who is granted a route.
#[derive(Debug, Clone, Copy)]
pub enum Right {
    /// Whoever asks; no token is looked at.
    Everybody,
    /// Whoever asks, unless with a token that is not in force; inspectors and
    /// authorities of where it is are shown it in full.
    EverybodyInPart(Of),
    /// Inspectors and authorities of where it is; to others it is not there.
    Hidden(Of),
    /// Any token in force.
    AnyToken,
    /// A token of some entity or of those who oversee: each is shown its own.
    AnyParty,
    /// Inspectors and authorities of where it is.
    Overseers(Of),
    /// The same, and the entity itself.
    OverseersAndOwn(Who),
    /// The same, by a token for those who oversee.
    OverseersAndOwnAsSuch(Who),
    /// Tokens of the entity alone.
    Own(Who),
    /// Tokens of these in a role that they hold.
    Signers(&'static [(Who, Role)]),
    /// Authorities of where it is, whose entity is one there.
    Registrars,
    /// The same, whose token says where.
    Inviters,
    /// A token of any entity.
    AnyEntity,
    /// A token for those who oversee, wherever.
    AnyOverseer,
    /// Whoever comes first, whoever it is.
    Once,
}
use Right::{
    AnyEntity, AnyOverseer, AnyParty, AnyToken, Everybody, EverybodyInPart, Hidden, Inviters, Once,
    Overseers, OverseersAndOwn, OverseersAndOwnAsSuch, Own, Registrars, Signers,
};

/// The table of rights.
pub const RIGHTS: &[(&str, &str, Right)] = &[
    ("get", "/t/{code}", Everybody),
    ("get", "/t/{code}/temperatures", Everybody),
    ("get", "/t/{code}/report", Everybody),
    ("post", "/t/{code}/report", Everybody),
    ("get", "/sign-in", Everybody),
    ("post", "/sign-in", Everybody),
    ("post", "/sign-out", Everybody),
    ("get", "/join", Once),
    ("post", "/join", Once),
    ("get", "/inspect", AnyOverseer),
    (
        "get",
        "/inspect/codes/{code}/recall/{format}",
        Overseers(Of::Unit),
    ),
    (
        "get",
        "/inspect/entities/{id}/balance/{format}",
        OverseersAndOwnAsSuch(Who::Producer),
    ),
    ("get", "/inspect/questions/{format}", AnyOverseer),
    ("get", "/inspect/acts/{act}", AnyOverseer),
    ("post", "/inspect/acts/{act}", Signers(AUTHORITY)),
    (
        "get",
        "/inspect/documents/{hash}",
        Hidden(Of::Entity(Who::Inspector)),
    ),
    ("get", "/issue", AnyEntity),
    ("get", "/issue/new", Own(Who::Producer)),
    ("post", "/issue/new", Signers(PRODUCER)),
    ("post", "/issue/void", Signers(HOLDERS)),
    // Handed over to another than all who ask.
    ("post", "/issue/receive", Signers(&[])),
    ("get", "/authority", Overseers(Of::Entity(Who::Cooperative))),
    ("post", "/authority/register", Registrars),
    ("post", "/authority/import", Inviters),
    ("post", "/authority/role", Signers(AUTHORITY)),
    ("post", "/authority/invite", Inviters),
    ("post", "/authority/lost", Inviters),
    ("get", "/check", Everybody),
    ("get", "/check/{file}", Everybody),
    ("get", "/01/{*link}", Everybody),
    ("get", "/.well-known/gs1resolver", Everybody),
    ("get", "/v1/codes/{code}", EverybodyInPart(Of::Unit)),
    ("get", "/v1/codes/{code}/bundle", Everybody),
    ("get", "/v1/codes/{code}/label.svg", Everybody),
    ("get", "/v1/codes/{code}/label.pdf", Everybody),
    ("get", "/v1/codes/{code}/label.png", Everybody),
    ("get", "/v1/codes/{code}/label.tspl", Everybody),
    ("get", "/v1/codes/{code}/scans", Everybody),
    ("get", "/v1/codes/{code}/trace", EverybodyInPart(Of::Unit)),
    ("get", "/v1/codes/{code}/temperatures", Everybody),
    ("get", "/v1/codes/{code}/temperatures.svg", Everybody),
    (
        "get",
        "/v1/certificates/{number}",
        EverybodyInPart(Of::Unit),
    ),
    ("get", "/v1/records/{hash}", Everybody),
    ("get", "/v1/entities/{id}", Everybody),
    ("get", "/v1/entities/{id}/certificates", Everybody),
    ("get", "/v1/entities/{id}/equipment", Everybody),
    ("get", "/v1/entities/{id}/findings", Everybody),
    (
        "get",
        "/v1/documents/{hash}",
        Hidden(Of::Entity(Who::Inspector)),
    ),
    ("get", "/v1/units/{gtin}/{lot}", Everybody),
    ("get", "/v1/foreign/{code}", Everybody),
    (
        "get",
        "/v1/changes",
        EverybodyInPart(Of::Entity(Who::Producer)),
    ),
    ("post", "/v1/complaints", Everybody),
    ("get", "/checkpoint", Everybody),
    ("get", "/v1/proof/inclusion", Everybody),
    ("get", "/v1/proof/consistency", Everybody),
    ("get", "/v1/anchor", Everybody),
    ("get", "/v1/kinds", Everybody),
    ("get", "/v1/grading", Everybody),
    ("get", "/openapi.json", Everybody),
    // A signature is the right here, whoever brings it.
    ("post", "/v1/prepare", Everybody),
    ("post", "/v1/records", Everybody),
    ("get", "/v1/codes/{code}/balance", Overseers(Of::Unit)),
    ("get", "/v1/codes/{code}/recall", Overseers(Of::Unit)),
    ("get", "/v1/questions", AnyParty),
    (
        "get",
        "/v1/entities/{id}/balance",
        OverseersAndOwn(Who::Producer),
    ),
    ("get", "/v1/areas/{area}/balance", Overseers(Of::Area)),
    (
        "get",
        "/v1/entities/{id}/grade",
        OverseersAndOwn(Who::Producer),
    ),
    ("get", "/v1/equipment/{id}/mapping", Own(Who::ColdStore)),
    ("post", "/v1/equipment/{id}/mapping", Own(Who::ColdStore)),
    (
        "get",
        "/v1/equipment/{id}/temperatures.svg",
        OverseersAndOwn(Who::ColdStore),
    ),
    ("get", "/v1/alerts", OverseersAndOwn(Who::ColdStore)),
    ("get", "/v1/complaints", Overseers(Of::Area)),
    (
        "post",
        "/v1/complaints/{complaint}/erased",
        Overseers(Of::Area),
    ),
    ("post", "/v1/labels", AnyToken),
    ("post", "/v1/readings", Own(Who::ColdStore)),
    ("post", "/v1/documents", AnyToken),
    ("post", "/v1/certificates", Signers(PRODUCER)),
    ("post", "/v1/warehouse/in", Signers(STORE)),
    ("post", "/v1/warehouse/out", Signers(STORE)),
    ("post", "/v1/equipment", Signers(STORE)),
    ("post", "/v1/placed", Signers(STORE)),
    ("post", "/v1/taken-out", Signers(STORE)),
    ("post", "/v1/alerts/acknowledged", Signers(STORE)),
    ("post", "/v1/segments", Signers(STORE)),
    ("post", "/v1/void", Signers(HOLDERS)),
    ("post", "/v1/supersede", Signers(PRODUCER)),
    ("post", "/v1/statements", Signers(AUTHORITY)),
    ("post", "/v1/hold", Signers(AUTHORITY)),
    ("post", "/v1/release", Signers(AUTHORITY)),
    ("post", "/v1/recall", Signers(HOLDERS)),
    ("post", "/v1/recall-closed", Signers(AUTHORITY)),
    ("post", "/v1/inspections", Signers(AUTHORITY)),
    ("post", "/v1/samples", Signers(AUTHORITY)),
    ("post", "/v1/rectified", Signers(AUTHORITY)),
    ("post", "/v1/entities", Registrars),
];

const PRODUCER: &[(Who, Role)] = &[(Who::Producer, Role::Producer)];
const STORE: &[(Who, Role)] = &[(Who::ColdStore, Role::ColdStore)];
/// Who may end or stop what the producer made: its maker, and the authority there.
const HOLDERS: &[(Who, Role)] = &[
    (Who::Producer, Role::Producer),
    (Who::CountyAuthority, Role::Authority),
];
/// The authority of where it all is, which has a key here.
const AUTHORITY: &[(Who, Role)] = &[(Who::CountyAuthority, Role::Authority)];
