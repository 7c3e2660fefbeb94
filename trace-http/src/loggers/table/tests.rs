use super::*;
use crate::loggers::Mapping;
use trace_core::ident::parse_ms;

fn mapping(json: &str) -> Mapping {
    serde_json::from_str(json).unwrap()
}

fn probe(number: u8) -> EquipmentId {
    EquipmentId::from_bytes([number; 10])
}

const ONE: &str = r#"{"delimiter":"comma","has_headers":true,"time":["Time"],
    "time_format":"%Y/%m/%d %H:%M:%S","zone":"+08:00","temperatures":[{"column":"Temp"}]}"#;

fn read_one(text: &str) -> Result<Table, Said> {
    let plan = Plan::new(mapping(ONE), Some(probe(1))).unwrap();
    let latest_ms = parse_ms("2026-03-02T00:00:00+08:00").unwrap();
    read(text.as_bytes(), &plan, latest_ms, Language::English)
}

#[test]
fn cells_without_a_reading_are_counted_by_what_stands_there_and_never_zero() {
    let table = read_one(
        "Time,Temp\n2026/3/1 05:20:00,-18.5\n2026/3/1 05:21:00,---\n2026/3/1 05:22:00,\n\n\
         2026/3/1 05:23:00,ERR\n2026/3/1 05:24:00,断线\n2026/3/1 05:25:00\n2026/3/1 05:26:00,-18.4\n",
    )
    .unwrap();
    assert_eq!(table.complaints, []);
    let milli: Vec<_> = table.probes[&probe(1)]
        .iter()
        .map(|it| it.temperature_milli_c)
        .collect();
    assert_eq!(milli, [-18_500, -18_400]);
    let words = [("", 2), ("---", 1), ("ERR", 1), ("断线", 1)];
    assert_eq!(
        table.no_reading,
        words.map(|(word, count)| (word.to_owned(), count)).into()
    );
    assert_eq!(table.rows, 7);
}

#[test]
fn what_is_wrong_is_said_by_row_and_column() {
    let table = read_one(
        "Time,Temp\n2026/3/1 05:20:00,-18.5\nyesterday,-18.5\n2026/3/1 05:22:00,cold\n\
         2026/3/9 05:22:00,2\n1999/3/1 05:22:00,2\n2026/3/1 05:23:00,500\nEnd of data\n",
    )
    .unwrap();
    assert_eq!(table.readings(), 1);
    let said: Vec<_> = table
        .complaints
        .iter()
        .map(|it| (it.row, it.column.as_deref().unwrap_or_default()))
        .collect();
    assert_eq!(
        said,
        [
            (3, "Time"),
            (4, "Temp"),
            (5, "Time"),
            (6, "Time"),
            (7, "Temp"),
            (8, "Time")
        ]
    );
    assert_eq!(table.complaint_count, 6);
    let whys = [
        "no time",
        "no temperature",
        "ahead",
        "2000",
        "milli-degrees",
        "no time",
    ];
    for (complaint, why) in table.complaints.iter().zip(whys) {
        assert!(complaint.why.contains(why), "{complaint:?}");
    }
}

#[test]
fn several_probes_stand_in_columns_of_their_own_or_are_named_by_each_row() {
    let latest_ms = u64::MAX / 2;
    let (one, two) = (probe(1).to_string(), probe(2).to_string());
    let columns = format!(
        r#"{{"delimiter":"semicolon","decimal":"comma","skip_lines":2,"has_headers":false,
            "time":[1,2],"time_format":"%d.%m.%Y %H:%M","zone":"+08:00","temperatures":
            [{{"column":3,"probe":"{one}"}},{{"column":4,"probe":"{two}"}}]}}"#
    );
    let plan = Plan::new(mapping(&columns), None).unwrap();
    let text = "Logger \"7\nremark\n01.03.2026;05:20;-18,5;-18,25\n01.03.2026;05:21;---;-18,2\n";
    let table = read(text.as_bytes(), &plan, latest_ms, Language::English).unwrap();
    assert_eq!(
        (table.probes[&probe(1)].len(), table.probes[&probe(2)].len()),
        (1, 2)
    );
    assert_eq!(table.probes[&probe(2)][0].temperature_milli_c, -18_250);

    let by_row = format!(
        r#"{{"charset":"gb18030","delimiter":"comma","has_headers":true,"time":["时间"],
            "time_format":"iso8601","zone":"+08:00","temperatures":[{{"column":"温度"}}],
            "probe":{{"column":"探头","names":{{"东":"{one}"}}}}}}"#
    );
    let plan = Plan::new(mapping(&by_row), None).unwrap();
    let text = format!(
        "时间,探头,温度\n2026-03-01 05:20:00,东,2.5\n2026-03-01 05:20:00,{two},2.6\n2026-03-01 05:20:00,北,2\n"
    );
    let (bytes, _, _) = encoding_rs::GB18030.encode(&text);
    let table = read(&bytes, &plan, latest_ms, Language::English).unwrap();
    assert_eq!(table.probes.len(), 2);
    assert_eq!(
        (
            table.complaints[0].row,
            table.complaints[0].column.as_deref()
        ),
        (4, Some("探头"))
    );
}

#[test]
fn a_mapping_that_does_not_fit_is_refused_before_a_row_is_read() {
    for (from, to, named) in [
        ("\"Temp\"", "\"Temperature\"", "no column is called"),
        (
            "\"has_headers\":true",
            "\"has_headers\":true,\"skip_lines\":9",
            "no row of headers",
        ),
    ] {
        let plan = Plan::new(mapping(&ONE.replace(from, to)), Some(probe(1))).unwrap();
        let why = read(b"Time,Temp\n", &plan, 0, Language::English).unwrap_err();
        assert!(why.english.contains(named), "{}", why.english);
    }
    for (from, to, named) in [
        ("\"zone\":\"+08:00\",", "", "zone"),
        ("[\"Time\"]", "[]", "columns"),
        ("\"Temp\"", "0", "numbered from 1"),
        ("true", "false", "without headers"),
        (
            "\"has_headers\"",
            "\"decimal\":\"comma\",\"has_headers\"",
            "comma",
        ),
        ("[{\"column\":\"Temp\"}]", "[]", "at least one column"),
        (
            "{\"column\":\"Temp\"}",
            "{\"column\":\"Temp\",\"probe\":\"x\"}",
            "equipment_id",
        ),
        (
            "{\"column\":\"Temp\"}",
            "{\"column\":\"Temp\"},{\"column\":3}",
            "both of probe",
        ),
    ] {
        let why = Plan::new(mapping(&ONE.replace(from, to)), Some(probe(1))).unwrap_err();
        assert!(why.english.contains(named), "{}", why.english);
    }
    let why = Plan::new(mapping(ONE), None).unwrap_err();
    assert!(why.english.contains("of which probe"), "{}", why.english);
    assert!(serde_json::from_str::<Mapping>("{\"delimiters\":\"comma\"}").is_err());
}

#[test]
fn a_table_goes_in_calls_as_large_as_the_store_takes() {
    let reading = Reading {
        at_ms: EARLIEST_MS,
        temperature_milli_c: 0,
    };
    let mut table = Table::default();
    table
        .probes
        .insert(probe(1), vec![reading; READINGS_MAX - 1]);
    table
        .probes
        .insert(probe(2), vec![reading; READINGS_MAX + 2]);
    let sizes: Vec<usize> = table
        .into_batches(READINGS_MAX)
        .iter()
        .map(|batch| batch.iter().map(|(_, readings)| readings.len()).sum())
        .collect();
    assert_eq!(sizes, [READINGS_MAX, READINGS_MAX, 1]);
}

#[test]
fn no_file_whatever_its_bytes_makes_it_panic() {
    let seed = 11;
    println!("seed {seed}");
    let mut random = varied(seed);
    let plan = Plan::new(mapping(ONE), Some(probe(1))).unwrap();
    let alphabet = b"Time,Temp\n2026/3/1 05:20:00,-18.5\"\r\xff\xe5;";
    for _ in 0..5_000 {
        let length = random() % 120;
        let mut bytes = b"Time,Temp\n".to_vec();
        bytes.extend((0..length).map(|_| alphabet[random() % alphabet.len()]));
        // Whatever comes of it, it is said and not a panic.
        let _ = read(&bytes, &plan, u64::MAX, Language::English);
        let _ = crate::loggers::guess::guess(&bytes, None, Language::Chinese);
    }
}

/// A generator of one's own (xorshift64): only its bytes' variety matters.
fn varied(seed: u64) -> impl FnMut() -> usize {
    let mut state = seed;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap()
    }
}
