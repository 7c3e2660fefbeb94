//! Every address of the API, by who calls it. The operator's own (`/healthz`,
//! `/readyz`, `/metrics`, `/problems`) are in [`operations`](crate::operations).
//!
//! One line each: method, address, handler, what it is for, query parameters,
//! what it takes, what it gives. Router and OpenAPI are both made of it.

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};

use super::{
    alerts, balance, balances, certificates, codes, cold, complaints, conduct, corrections,
    documents, entities, evidence, grade, halting, labels, lineage, office::Office, openapi,
    pictures, prepare, proofs, questions, reading, readings, recall, resolver, scans, statements,
    submitting, warehouse,
};
use crate::{
    desk::{
        authority::{self, inviting, joining, registering},
        inspect, issue, session,
    },
    label::LabelForm,
    page,
};

/// Who calls an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Anyone; some answers say more to an inspector's or authority's token.
    Anyone,
    /// Whoever signs with a key of their own: the signature is the right.
    Signer,
    /// Whoever has a token of an entity with a hosted key.
    Bearer,
    /// Whoever signed in on a page: a cookie holds the token.
    SignedIn,
    /// Whoever has a token; most answers are for an inspector's or authority's.
    Token,
}

/// What a request's body or an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// None.
    Nothing,
    /// JSON of the schema of this name.
    Json(&'static str),
    /// What a page's form holds.
    Form,
    /// Records in binary, or JSON of the schema of this name.
    RecordsOr(&'static str),
    /// Readings in binary or as a logger's CSV, or JSON of the schema of this name.
    ReadingsOr(&'static str),
    /// The links of RFC 9264, or a redirect to one of them.
    Linkset,
    /// A signed note.
    Note,
    /// A page.
    Page,
    /// A picture: SVG.
    Picture,
    /// A page's script.
    Script,
    /// JSON of the schema of this name, or a sheet of CSV or XLSX.
    SheetOr(&'static str),
    /// A sheet of CSV or XLSX.
    Sheet,
    /// A document: PDF, JPEG or PNG.
    Document,
    /// A label, in this form.
    Label(LabelForm),
    /// Labels, in the form asked for.
    Labels,
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// Who calls it.
    pub caller: Caller,
    /// `get` or `post`.
    pub method: &'static str,
    /// The address, as axum and OpenAPI write it.
    pub path: &'static str,
    /// What it is for, in one line.
    pub summary: &'static str,
    /// Query parameters.
    pub query: &'static [&'static str],
    /// What it takes.
    pub takes: Content,
    /// What it gives.
    pub gives: Content,
}

macro_rules! table {
    ($($caller:ident {
        $($method:ident $path:literal $handler:path, $summary:literal,
            [$($query:literal)*], $takes:expr => $gives:expr;)*
    })*) => {
        /// The table.
        pub const ROUTES: &[Route] = &[$($(Route {
            caller: Caller::$caller,
            method: stringify!($method),
            path: $path,
            summary: $summary,
            query: &[$($query),*],
            takes: $takes,
            gives: $gives,
        },)*)*];

        /// The router of the table.
        pub fn routes() -> Router<Arc<Office>> {
            Router::new()$($(.route($path, $method($handler)))*)*
        }
    };
}

use Content::{
    Document, Form, Json, Label, Labels, Linkset, Note, Nothing, Page, Picture, ReadingsOr,
    RecordsOr, Script, Sheet, SheetOr,
};

table! {
    Anyone {
        get "/t/{code}" page::show, "A trace code as a page: the verdict, the story, how to check it", ["before" "lang"], Nothing => Page;
        get "/t/{code}/temperatures" page::temperatures::show, "How a unit was kept cold, as a page: a picture, and the same in numbers", [], Nothing => Page;
        get "/t/{code}/report" page::report::form, "A form to report something wrong with a unit", ["lang"], Nothing => Page;
        post "/t/{code}/report" page::report::send, "What was filled in there", ["lang"], Form => Page;
        get "/sign-in" session::form, "Where a token is typed to sign in on the pages", ["next" "lang"], Nothing => Page;
        post "/sign-in" session::enter, "Sign in with a token; leads to the pages it is for", [], Form => Page;
        post "/sign-out" session::leave, "Sign out", [], Nothing => Page;
        get "/join" joining::form, "What the invited sees: for whom, and where the code is typed", ["code" "lang"], Nothing => Page;
        post "/join" joining::enter, "Use an invitation: a token, once", [], Form => Page;
        get "/check" page::tool::show, "The check as a page to keep, which works on saved files without a network", ["lang"], Nothing => Page;
        get "/check/{file}" page::script::serve, "The script with which a reader's browser checks a page, at an address that names its bytes", [], Nothing => Script;
        get "/01/{*link}" resolver::resolve, "A GS1 Digital Link on a package: leads to its trace unit, or lists what it may mean", ["t" "linkType"], Nothing => Linkset;
        get "/.well-known/gs1resolver" resolver::description, "Which Digital Links are resolved here", [], Nothing => Json("Resolver");
        get "/v1/codes/{code}" codes::unit, "A trace code: what is true now, the reasons, the story, the proofs", ["from" "limit" "purpose"], Nothing => Json("UnitAnswer");
        get "/v1/codes/{code}/bundle" codes::bundle, "Everything needed to check a trace code offline, one file", [], Nothing => Json("Bundle");
        get "/v1/codes/{code}/label.svg" labels::svg, "The label of a trace code, for a screen or a page", ["size" "signed"], Nothing => Label(LabelForm::Svg);
        get "/v1/codes/{code}/label.pdf" labels::pdf, "The same for an office printer", ["size" "signed"], Nothing => Label(LabelForm::Pdf);
        get "/v1/codes/{code}/label.png" labels::png, "The same in black and white at 203 dpi", ["size" "signed"], Nothing => Label(LabelForm::Png);
        get "/v1/codes/{code}/label.tspl" labels::tspl, "The same for a label printer, in TSPL", ["size" "signed"], Nothing => Label(LabelForm::Tspl);
        get "/v1/codes/{code}/scans" scans::scans, "How often the page of a code was opened, by day and place", [], Nothing => Json("ScansAnswer");
        get "/v1/codes/{code}/trace" lineage::trace, "What a unit was made of, or what was made of it, step by step", ["direction" "depth" "limit" "after" "purpose"], Nothing => Json("TraceAnswer");
        get "/v1/codes/{code}/temperatures" cold::temperatures, "How a unit was kept cold: each stay, its excursions and gaps", [], Nothing => Json("Kept");
        get "/v1/codes/{code}/temperatures.svg" pictures::of_unit, "The same as a picture", [], Nothing => Picture;
        get "/v1/certificates/{number}" codes::certificate, "The trace unit of a certificate, by its number", ["from" "limit" "purpose"], Nothing => Json("UnitAnswer");
        get "/v1/records/{hash}" reading::record, "One record, by its hash", [], Nothing => Json("RecordsAnswer");
        get "/v1/entities/{id}" reading::entity, "An entity: its roles, and the records about it", [], Nothing => Json("EntityAnswer");
        get "/v1/entities/{id}/certificates" reading::issued, "The certificates that an entity issued", ["from" "limit"], Nothing => Json("RecordsAnswer");
        get "/v1/entities/{id}/equipment" cold::equipment_of, "The cold-chain equipment of an entity, with calibrations", ["after" "limit"], Nothing => Json("EquipmentAnswer");
        get "/v1/entities/{id}/findings" conduct::findings, "The findings of inspections at an entity, and how they stand on a day", ["on" "standing" "after" "limit"], Nothing => Json("FindingsAnswer");
        get "/v1/documents/{hash}" documents::document, "A document, by the hash of its bytes; before it is published, for inspectors", ["purpose"], Nothing => Document;
        get "/v1/units/{gtin}/{lot}" reading::units, "The trace units of a GTIN with a lot", ["after" "limit"], Nothing => Json("UnitsAnswer");
        get "/v1/foreign/{code}" reading::foreign, "The trace units that another system's code means", [], Nothing => Json("UnitsAnswer");
        get "/v1/changes" reading::changes, "The log behind an index, for those who follow it", ["after" "limit" "purpose"], Nothing => Json("RecordsAnswer");
        post "/v1/complaints" complaints::complain, "A complaint or report, for the inspectors of the area", [], Json("ComplaintOrder") => Json("ComplaintTaken");
        get "/checkpoint" proofs::checkpoint, "The last signed checkpoint", [], Nothing => Note;
        get "/v1/proof/inclusion" proofs::inclusion, "That an entry is among the first so many", ["index" "hash" "size"], Nothing => Json("InclusionAnswer");
        get "/v1/proof/consistency" proofs::consistency, "That a longer log begins with a shorter one", ["from" "to"], Nothing => Json("ConsistencyAnswer");
        get "/v1/anchor" reading::anchor, "The trust anchor: the ledger's key and the hash of leaf 0", [], Nothing => Json("AnchorAnswer");
        get "/v1/kinds" reading::kinds, "What can be said: every kind with its fields and who may sign it", [], Nothing => Json("Kinds");
        get "/v1/grading" grade::formulas, "The formula of risk and credit grades, as it was published", ["version"], Nothing => Json("GradingFormula");
        get "/openapi.json" openapi::document, "This description", [], Nothing => Json("OpenApi");
    }
    SignedIn {
        get "/inspect" inspect::show, "One box for an inspector: a code, a number, an address, an entity; without one, what is going on in the area", ["ask" "purpose" "before" "lang"], Nothing => Page;
        get "/inspect/codes/{code}/recall/{format}" inspect::files::recall, "The recall sheet as a file", ["until" "purpose"], Nothing => Sheet;
        get "/inspect/entities/{id}/balance/{format}" inspect::files::balance, "The balance of an entity as a file", ["first_day" "last_day" "after" "limit" "purpose"], Nothing => Sheet;
        get "/inspect/questions/{format}" inspect::files::questions, "Open questions of the area as a file", ["about" "after" "limit" "purpose"], Nothing => Sheet;
        get "/inspect/acts/{act}" inspect::acts::form, "A form to hold, recall, inspect, sample or close", ["of" "position" "lang"], Nothing => Page;
        post "/inspect/acts/{act}" inspect::acts::send, "What was filled in there: to be confirmed, then signed", [], Form => Page;
        get "/inspect/documents/{hash}" inspect::files::document, "A document that a record names", ["purpose"], Nothing => Document;
        get "/authority" authority::show, "Who is registered in the area, or one entity and what can be done about it, for authorities", ["entity" "after" "lang"], Nothing => Page;
        post "/authority/register" registering::one, "Register an entity with a key kept here", [], Form => Page;
        post "/authority/import" registering::many, "Register many from a pasted sheet; gives their invitations as a sheet", [], Form => Page;
        post "/authority/role" registering::role, "Grant or withdraw a role", [], Form => Page;
        post "/authority/invite" inviting::one, "Invite an entity: a code for one use within a week", [], Form => Page;
        post "/authority/lost" inviting::lost, "A telephone is lost: end its keys, tokens and invitations, and invite anew", [], Form => Page;
        get "/issue" issue::show, "One's own certificates, goods to confirm and alerts, for producers", ["before" "made" "lang"], Nothing => Page;
        get "/issue/new" issue::new::begin, "The first of three steps to a certificate, perhaps like another or in its place", ["copy" "corrects"], Nothing => Page;
        post "/issue/new" issue::new::go_on, "The next step; the last signs and leads to what was made", [], Form => Page;
        post "/issue/void" issue::ending::void, "Void one's own certificate", [], Form => Page;
        post "/issue/receive" issue::ending::receive, "Confirm or refuse what was handed over", [], Form => Page;
    }
    Signer {
        post "/v1/prepare" prepare::prepare, "The exact bytes to sign for a statement", [], Json("PrepareOrder") => Json("PreparedAnswer");
        post "/v1/records" submitting::append, "Signed records, one or many", ["atomic"], RecordsOr("RecordsOrder") => Json("ResultsAnswer");
    }
    Token {
        get "/v1/codes/{code}/balance" balance::unit, "Where all of a unit is: made, held, on its way, used, sold, lost, unexplained", ["after" "purpose"], Nothing => Json("BalanceAnswer");
        get "/v1/codes/{code}/recall" recall::sheet, "The recall sheet: where everything is that was made of a unit, with whom", ["until" "purpose"], Nothing => SheetOr("RecallSheet");
        get "/v1/questions" questions::questions, "Open questions: what does not add up, is late, expired, overspent or jumped", ["about" "after" "limit" "purpose"], Nothing => SheetOr("QuestionsAnswer");
        get "/v1/entities/{id}/balance" balances::of_entity, "What came to an entity, went, ended and is held, by product, over a period", ["first_day" "last_day" "after" "limit" "purpose"], Nothing => SheetOr("PeriodBalance");
        get "/v1/areas/{area}/balance" balances::of_area, "The same of an area with all in it", ["first_day" "last_day" "after" "limit" "purpose"], Nothing => SheetOr("PeriodBalance");
        get "/v1/entities/{id}/grade" grade::grade, "The risk grade and credit grade of an entity, with every input", ["on" "version" "purpose"], Nothing => Json("GradeAnswer");
        get "/v1/equipment/{id}/mapping" readings::mapping, "What stands where in the files of a logger, as it was saved", [], Nothing => Json("Mapping");
        post "/v1/equipment/{id}/mapping" readings::save_mapping, "Save what stands where in the files of a logger", [], Json("Mapping") => Json("Mapping");
        get "/v1/equipment/{id}/temperatures.svg" pictures::of_equipment, "What a probe or a store's probes read over a time, as a picture", ["from" "to" "policy" "purpose"], Nothing => Picture;
        get "/v1/alerts" alerts::list, "What cold stores must look after now: excursions in progress, silent probes, calibrations overdue", ["entity" "area" "sort" "after" "limit" "purpose"], Nothing => Json("AlertsAnswer");
        get "/v1/complaints" complaints::list, "Complaints and reports of the token's area, the newest first", ["area" "before" "limit" "purpose"], Nothing => Json("ComplaintsAnswer");
        post "/v1/complaints/{complaint}/erased" complaints::erase, "What a complaint says is deleted; that there was one stays", [], Nothing => Json("ComplaintLine");
        post "/v1/labels" labels::many, "Labels of many trace codes, one file", [], Json("LabelsOrder") => Labels;
        post "/v1/readings" readings::append, "Readings of the token's entity's probes, durable when answered", ["equipment" "mapping" "rows"], ReadingsOr("ReadingsOrder") => Json("ReadingsTaken");
        post "/v1/documents" documents::put, "Store a document beside the log, for records to name by its hash", [], Document => Json("DocumentStored");
    }
    Bearer {
        post "/v1/certificates" certificates::issue, "Issue a certificate, with its trace unit where there is none yet", [], Json("CertificateOrder") => Json("CertificateAnswer");
        post "/v1/warehouse/in" warehouse::enter, "Goods enter a cold store", [], Json("MoveOrder") => Json("MoveAnswer");
        post "/v1/warehouse/out" warehouse::leave, "Goods leave a cold store", [], Json("MoveOrder") => Json("MoveAnswer");
        post "/v1/equipment" cold::register, "Register a store, zone, vehicle, container or probe", [], Json("EquipmentOrder") => Json("ColdAnswer");
        post "/v1/placed" cold::place, "A unit is placed in a piece of equipment, under a temperature policy", [], Json("PlaceOrder") => Json("ColdAnswer");
        post "/v1/taken-out" cold::take_out, "A unit is taken out of a piece of equipment", [], Json("TakeOutOrder") => Json("ColdAnswer");
        post "/v1/alerts/acknowledged" alerts::acknowledge, "An alert about a probe was seen", [], Json("AcknowledgeOrder") => Json("ColdAnswer");
        post "/v1/segments" cold::seal, "A probe's oldest unsealed readings become its next segment", [], Json("SealOrder") => Json("ColdAnswer");
        post "/v1/void" corrections::void, "Void a certificate or a unit", [], Json("VoidOrder") => Json("VoidAnswer");
        post "/v1/supersede" corrections::supersede, "Replace a certificate by another", [], Json("SupersedeOrder") => Json("CertificateAnswer");
        post "/v1/statements" statements::state, "Anything that the token's role may say, in the entity's name", [], Json("StatementOrder") => Json("StatementAnswer");
        post "/v1/hold" halting::hold, "Nothing of a unit moves, nor of what was made from it", [], Json("HoldOrder") => Json("HaltAnswer");
        post "/v1/release" halting::release, "A hold ends", [], Json("ReleaseOrder") => Json("HaltAnswer");
        post "/v1/recall" halting::recall, "A unit and all that was made from it goes back", [], Json("RecallOrder") => Json("HaltAnswer");
        post "/v1/recall-closed" halting::close_recall, "A recall ends", [], Json("RecallClosedOrder") => Json("HaltAnswer");
        post "/v1/inspections" evidence::inspection, "An entity was inspected, and what was found", [], Json("InspectionOrder") => Json("EvidenceAnswer");
        post "/v1/samples" evidence::sample, "What came of an official sample", [], Json("SampleOrder") => Json("EvidenceAnswer");
        post "/v1/rectified" evidence::rectified, "A finding was put right", [], Json("RectifiedOrder") => Json("EvidenceAnswer");
        post "/v1/entities" entities::register, "Register an entity, with a hosted key and roles", [], Json("EntityOrder") => Json("EntityMade");
    }
}
