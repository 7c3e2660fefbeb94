//! The town: a ledger with everybody of the fixtures' world registered, hosted
//! keys for some, tokens for whom a test wants, served on a free port.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use trace_core::{
    ident::{Area, EntityId, parse_ms},
    ledger::{
        Ledger,
        complaints::{COMPLAINTS_FILE, Complaints},
        documents::{DOCUMENTS, Documents},
        hosted::{HostedKeys, Kek},
        invitations::INVITATIONS_FILE,
        job::{Job, Outcome},
        lookups::{Committing, Lookups},
        opening::{self, HOSTED, Parts, Settings},
        readings::READINGS_FILE,
        scans::{SCANS_FILE, Scans},
        tokens::{Grant, Sharing, Tokens},
    },
    proof::{anchor::Anchor, note::NoteSigner},
    record::{
        Body, Hash, Role, Signed,
        kinds::{key_enrolled::KeyEnrolled, unit_created::UnitCreated},
        section::Openings,
        submission::Submission,
        wire::TokenId,
    },
    store::disk::{Disk, RealDisk},
};
use trace_fixtures::{Who, World};
use trace_http::{
    api::{Book, Office, complaints::ComplaintDesk, router, scans::ScanDesk},
    loggers::shelf::{MAPPINGS, Shelf},
    machine,
    metrics::Metrics,
    serve::{open_invitations, open_readings},
    server::{Limits, Load, serve},
};
use zeroize::Zeroizing;

/// No wait in these tests is longer.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// In which field the proxy before the town says where a page is opened.
pub const PLACE: &str = "x-place";

/// How readers reach the town.
pub const PUBLIC_URL: &str = "https://trace.example";

/// The town.
pub struct Town {
    pub world: World,
    pub office: Arc<Office>,
    pub address: SocketAddr,
    now_ms: Arc<AtomicU64>,
    runtime: tokio::runtime::Runtime,
    folder: TempDir,
    /// Whoever only reads does so from files that a writer would close as soon
    /// as nobody has it.
    _writer: Option<Ledger>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.head, self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The value of a header field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// The answer, which has this status.
    #[track_caller]
    pub fn with(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}\n{}", self.head, self.text());
        self
    }

    /// The problem document, which has this status and code.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Value {
        let answer = self.with(status);
        let media_type = answer.field("content-type");
        assert_eq!(media_type, Some("application/problem+json"));
        let document = answer.json();
        assert_eq!(document["code"], code, "{document}");
        assert_eq!(document["status"], status);
        document
    }
}

/// Everybody who has a hosted key, and in which role they act.
const HOSTED_FOR: [(Who, Who); 6] = [
    (Who::CountyAuthority, Who::CityAuthority),
    (Who::Producer, Who::CountyAuthority),
    (Who::Household, Who::CountyAuthority),
    (Who::Buyer, Who::CountyAuthority),
    (Who::ColdStore, Who::CountyAuthority),
    (Who::OtherCountyAuthority, Who::CityAuthority),
];

impl Town {
    /// The town, open and served.
    pub fn new() -> Self {
        Self::of(World::new(7))
    }

    /// The same, opened at another time.
    pub fn opened_at(time: &str) -> Self {
        let mut world = World::new(7);
        world.now_ms = parse_ms(time).unwrap();
        Self::of(world)
    }

    fn of(mut world: World) -> Self {
        let folder = TempDir::new().unwrap();
        let now_ms = Arc::new(AtomicU64::new(0));
        let parts = Parts {
            origin: world.origin().clone(),
            signer: signer(&world),
            hosted: hosted_keys(folder.path()),
            entropy: Box::new(machine::fill_random),
        };
        let sequencer = opening::create(folder.path(), Settings::default(), parts).unwrap();
        let genesis = world.genesis();
        let time = Arc::clone(&now_ms);
        let ledger = Ledger::start(
            sequencer,
            Arc::new(move || time.load(Ordering::Relaxed)),
            |why| panic!("{why}"),
        )
        .unwrap();
        now_ms.store(world.now_ms, Ordering::Relaxed);
        admit(&ledger, genesis);
        for (who, by) in HOSTED_FOR {
            let enrolled = host(&mut world, &ledger, who, by);
            now_ms.store(world.now_ms, Ordering::Relaxed);
            admit(&ledger, vec![enrolled]);
        }
        let office = office(Book::Writing(ledger), folder.path(), &now_ms);
        Self::serve(world, office, now_ms, folder)
    }

    /// Keeps a key for somebody else too.
    pub fn host(&mut self, who: Who, by: Who) {
        let ledger = self.ledger().clone();
        let enrolled = host(&mut self.world, &ledger, who, by);
        self.tick();
        self.admit(vec![enrolled]);
    }

    fn serve(world: World, office: Office, now_ms: Arc<AtomicU64>, folder: TempDir) -> Self {
        let complaints = Complaints::open(&folder.path().join(COMPLAINTS_FILE)).unwrap();
        let desk = ComplaintDesk::new(complaints, world.id(Who::Operator));
        let scans = Scans::open(&folder.path().join(SCANS_FILE)).unwrap();
        let counting = ScanDesk::new(scans, Some(PLACE.parse().unwrap()));
        let invitations = open_invitations(&folder.path().join(INVITATIONS_FILE)).unwrap();
        let office = office.hearing(desk).counting(counting);
        let office = Arc::new(office.inviting(invitations));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let load = Arc::new(Load::default());
        let metrics = Arc::new(Metrics::new(&load));
        let router = router(Arc::clone(&office), metrics, Arc::new(|| Ok(())));
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(serve(
            listener,
            router,
            Limits::default(),
            load,
            std::future::pending(),
        ));
        Self {
            world,
            office,
            address,
            now_ms,
            runtime,
            folder,
            _writer: None,
        }
    }

    /// The same town after the server ended, with another book.
    pub fn reopened(self, book: impl FnOnce(&World, &Arc<Office>) -> Book) -> Self {
        let Self {
            world,
            office,
            now_ms,
            runtime,
            folder,
            ..
        } = self;
        drop(runtime);
        let writer = match &office.book {
            Book::Writing(ledger) => Some(ledger.clone()),
            Book::Reading(_) => None,
        };
        let book = book(&world, &office);
        drop(office);
        let office = self::office(book, folder.path(), &now_ms);
        Self {
            _writer: writer,
            ..Self::serve(world, office, now_ms, folder)
        }
    }

    /// The writer.
    pub fn ledger(&self) -> &Ledger {
        match &self.office.book {
            Book::Writing(ledger) => ledger,
            Book::Reading(_) => panic!("the town only reads"),
        }
    }

    pub fn anchor(&self) -> Anchor {
        self.office.anchor().unwrap().clone()
    }

    /// The world's time is the server's.
    pub fn tick(&self) {
        self.now_ms.store(self.world.now_ms, Ordering::Relaxed);
    }

    /// The server's clock stands at another time.
    pub fn set_clock(&self, now_ms: u64) {
        self.now_ms.store(now_ms, Ordering::Relaxed);
    }

    /// Admits records beside HTTP.
    pub fn admit(&self, submissions: Vec<Submission>) {
        self.tick();
        admit(self.ledger(), submissions);
    }

    /// A unit of the producer with a certificate and its phone, admitted.
    pub fn batch(&mut self) -> (UnitCreated, Submission) {
        let unit = self.world.unit();
        self.batch_of(unit)
    }

    /// The same for a unit as the test wants it.
    pub fn batch_of(&mut self, unit: UnitCreated) -> (UnitCreated, Submission) {
        let created = self.world.sign_bare(Who::Producer, unit.clone());
        let (certificate, openings) = self.world.certificate(&unit);
        let certified = self.world.sign(Who::Producer, certificate, openings);
        self.admit(vec![created, certified.clone()]);
        (unit, certified)
    }

    /// So much of a unit lies in the cold store from now on.
    pub fn store(&mut self, unit: &UnitCreated, quantity: &str) {
        let (body, openings) = self.world.warehouse_in(unit.unit, quantity);
        let entered = self.world.sign(Who::ColdStore, body, openings);
        self.admit(vec![entered]);
    }

    /// Says something with sections, admitted.
    pub fn say(&mut self, who: Who, (body, openings): (impl Into<Body>, Openings)) -> Signed {
        let submission = self.world.sign(who, body, openings);
        let signed = submission.signed.clone();
        self.admit(vec![submission]);
        signed
    }

    /// Says something without sections, admitted.
    pub fn say_bare(&mut self, who: Who, body: impl Into<Body>) -> Signed {
        self.say(who, (body, Openings::default()))
    }

    /// Signs a body without sections.
    pub fn sign(&mut self, who: Who, body: impl Into<Body>) -> Submission {
        let submission = self.world.sign(who, body, Openings::default());
        self.tick();
        submission
    }

    /// A token of somebody in a role, for where they are.
    pub fn token(&self, who: Who, role: Role) -> String {
        let entity = self.world.entity(who);
        self.token_of(Some(entity.id), role, Some(entity.area))
    }

    /// Any token; in force for a day.
    pub fn token_of(&self, entity: Option<EntityId>, role: Role, area: Option<Area>) -> String {
        let now_ms = self.now_ms.load(Ordering::Relaxed);
        let grant = Grant {
            entity,
            role,
            area,
            expires_ms: now_ms + 86_400_000,
        };
        let secret = Zeroizing::new(machine::random());
        let made = self
            .office
            .tokens
            .issue(TokenId(machine::random()), &secret, grant, now_ms);
        made.unwrap().reveal().to_owned()
    }

    /// Opens a connection.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect_timeout(&self.address, PATIENCE).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends a request with these header lines, each ended by CRLF.
    pub fn send(&self, method: &str, path: &str, lines: &str, body: &[u8]) -> TcpStream {
        let mut stream = self.connect();
        let length = body.len();
        let language = match lines.contains("accept-language") {
            true => "",
            false => "accept-language: en\r\n",
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\
             {language}{lines}content-length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        stream
    }

    pub fn ask(&self, method: &str, path: &str, lines: &str, body: &[u8]) -> Answer {
        let mut stream = self.send(method, path, lines, body);
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let split = bytes.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..split].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let body = &bytes[split + 4..];
        let is_chunked = head.contains("transfer-encoding: chunked") && method != "HEAD";
        let body = match is_chunked {
            true => unchunked(body),
            false => body.to_vec(),
        };
        Answer { status, head, body }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "", b"")
    }

    pub fn get_with(&self, path: &str, token: &str) -> Answer {
        self.ask("GET", path, &bearer(token), b"")
    }

    /// Signed records in binary.
    pub fn post_records(&self, path: &str, submissions: &[Submission]) -> Answer {
        let mut bytes = Vec::new();
        for submission in submissions {
            submission.encode_into(&mut bytes);
        }
        let octets = "content-type: application/octet-stream\r\n";
        self.ask("POST", path, octets, &bytes)
    }

    pub fn post_json(&self, path: &str, body: &Value) -> Answer {
        let body = body.to_string();
        self.ask("POST", path, JSON, body.as_bytes())
    }

    /// An order by a token, under a name.
    pub fn order(&self, path: &str, token: &str, key: &str, body: &Value) -> Answer {
        let lines = order_lines(token, key);
        self.ask("POST", path, &lines, body.to_string().as_bytes())
    }
}

/// A body that came in chunks (RFC 9112, section 7.1), to its last.
fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let end = rest.windows(2).position(|it| it == b"\r\n").unwrap();
        let length = str::from_utf8(&rest[..end]).unwrap();
        let length = usize::from_str_radix(length, 16).unwrap();
        if length == 0 {
            return whole;
        }
        whole.extend(&rest[end + 2..end + 2 + length]);
        rest = &rest[end + 2 + length + 2..];
    }
}

/// The header line of JSON.
pub const JSON: &str = "content-type: application/json\r\n";

pub fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}\r\n")
}

pub fn order_lines(token: &str, key: &str) -> String {
    format!("{JSON}{}idempotency-key: {key}\r\n", bearer(token))
}

pub fn signer(world: &World) -> Arc<NoteSigner> {
    Arc::new(NoteSigner::new(world.origin().as_str(), world.ledger_key()).unwrap())
}

fn hosted_keys(folder: &Path) -> HostedKeys {
    let kek = Kek::from_hex(&Hash::of(&[b"kek"]).to_string()).unwrap();
    HostedKeys::create(disk(), &folder.join(HOSTED), kek, machine::random()).unwrap()
}

fn disk() -> Arc<dyn Disk> {
    Arc::new(RealDisk)
}

fn office(book: Book, folder: &Path, now_ms: &Arc<AtomicU64>) -> Office {
    let (tokens, lookups) = (folder.join("tokens.log"), folder.join("lookups.log"));
    let tokens = match tokens.exists() {
        true => Tokens::open(disk(), &tokens, Sharing::Alone),
        false => Tokens::create(disk(), &tokens, Sharing::Alone),
    };
    let lookups = match lookups.exists() {
        true => Lookups::open(disk(), &lookups, Committing::Thread),
        false => Lookups::create(disk(), &lookups, Committing::Thread),
    };
    let time = Arc::clone(now_ms);
    let documents = Documents::open(disk(), &folder.join(DOCUMENTS)).unwrap();
    let view = match &book {
        Book::Writing(ledger) => ledger.view(),
        Book::Reading(reading) => Arc::clone(&reading.view),
    };
    let readings = open_readings(&folder.join(READINGS_FILE), &view).unwrap();
    let office = Office::new(
        book,
        tokens.unwrap(),
        lookups.unwrap(),
        Arc::new(move || time.load(Ordering::Relaxed)),
        PUBLIC_URL.into(),
    );
    let mappings = Shelf::new(&folder.join(MAPPINGS));
    office
        .keeping(documents)
        .reading(readings)
        .mapping(mappings)
}

fn admit(ledger: &Ledger, submissions: Vec<Submission>) {
    let items = ledger.verify(submissions);
    let job = Job {
        items: items.into_iter().map(Result::unwrap).collect(),
        atomic: false,
        request: None,
    };
    for outcome in ledger.submit_and_wait(job).unwrap().outcomes {
        assert!(matches!(outcome, Outcome::Admitted(_)), "{outcome:?}");
    }
}

/// A key kept for somebody, and the record that enrols it.
fn host(world: &mut World, ledger: &Ledger, who: Who, by: Who) -> Submission {
    let key = world.fresh_key(&format!("hosted/{who:?}"));
    let seed = Zeroizing::new(*key.seed());
    let kept = ledger.host_key(world.id(who), seed, machine::random());
    assert_eq!(kept.unwrap(), key.public().id());
    let body = KeyEnrolled {
        hosted: true,
        ..world.key_enrolled(who, &key)
    };
    world.sign_bare(by, body)
}
