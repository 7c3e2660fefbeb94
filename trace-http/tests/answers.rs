//! What a client is told: answers, problem documents, and what an operator sees
//! of them.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod server;

use std::time::Duration;

use server::{Server, assert_problem, quick};
use trace_http::{
    client::{Client, ClientError},
    language::Language,
    server::Limits,
};

#[test]
fn wrong_addresses_methods_types_and_contents_are_problem_documents() {
    let server = Server::start(quick());
    let ask = |line: &str, fields: &str, body: &str| {
        let length = body.len();
        server.exchange(format!(
            "{line} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{fields}content-length: {length}\r\n\r\n{body}"
        ))
    };
    let json = "content-type: application/json\r\n";
    assert_problem(&ask("GET /nowhere", "", ""), 404, "route_unknown");
    let answer = ask("GET /number", "", "");
    assert_problem(&answer, 405, "method_unsupported");
    assert!(answer.contains("allow: POST\r\n"), "{answer}");
    assert_problem(
        &ask("POST /number", "content-type: text/plain\r\n", "{}"),
        415,
        "media_type_unsupported",
    );
    assert_problem(
        &ask("POST /number", "", "{}"),
        415,
        "media_type_unsupported",
    );
    assert_problem(&ask("POST /number", json, "{"), 400, "json_malformed");
    assert_problem(
        &ask("POST /number", json, "{\"number\":1,\"x\":2}"),
        400,
        "json_unexpected",
    );
    assert!(ask("POST /number", json, "{\"number\":200}").ends_with("200"));
    let english = ask("GET /nowhere", "accept-language: en\r\n", "");
    assert!(
        english.contains("There is nothing at this address"),
        "{english}"
    );
    assert!(english.contains("content-language: en\r\n"), "{english}");
    assert!(ask("GET /nowhere", "", "").contains("该地址不存在"));
}

#[test]
fn operators_see_health_and_figures_by_route_and_never_by_path() {
    let server = Server::start(quick());
    let ask = |path: &str| {
        server.exchange(format!(
            "GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
        ))
    };
    assert!(ask("/healthz").ends_with("ok\n"));
    assert!(ask("/readyz").ends_with("ready\n"));
    ask("/secret-code");
    ask("/panic");
    let text = ask("/metrics");
    for line in [
        "trace_http_requests_total{route=\"/healthz\",class=\"2xx\"} 1",
        "trace_http_requests_total{route=\"unknown\",class=\"4xx\"} 1",
        "trace_http_requests_total{route=\"/panic\",class=\"abandoned\"} 1",
        "trace_http_connections 1",
        "trace_http_panics_total 1",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    }
    assert!(!text.contains("secret-code"), "{text}");
}

#[test]
fn a_panic_in_a_handler_is_a_500_and_the_server_lives() {
    let server = Server::start(quick());
    for _ in 0..3 {
        let answer = server.exchange("GET /panic HTTP/1.1\r\nhost: a\r\n\r\n");
        assert_problem(&answer, 500, "failed");
        assert!(!answer.contains("on purpose"), "{answer}");
    }
    assert_eq!(server.load.panics.get(), 3);
    server.assert_lives();
}

#[test]
fn a_handler_that_takes_too_long_is_given_up() {
    let server = Server::start(Limits {
        answer_time: Duration::from_millis(200),
        ..quick()
    });
    let answer = server.exchange("GET /gate HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_problem(&answer, 503, "answer_too_slow");
}

#[test]
fn bodies_follow_each_other_on_one_connection_by_length_and_by_chunks() {
    let server = Server::start(quick());
    let head = "POST /bytes HTTP/1.1\r\nhost: a\r\ncontent-type: application/octet-stream\r\n";
    let answer = server.exchange(format!(
        "{head}content-length: 5\r\n\r\nhello\
         {head}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nt: u\r\n\r\n\
         {head}content-length: 3\r\nconnection: close\r\n\r\nabc"
    ));
    let bodies: Vec<_> = answer
        .split("HTTP/1.1 200 OK")
        .skip(1)
        .map(|it| it.split_once("\r\n\r\n").unwrap().1)
        .collect();
    assert_eq!(bodies, ["5", "7", "3"], "{answer}");
}

#[test]
fn the_client_gets_bytes_and_json_and_nothing_where_there_is_nothing() {
    let server = Server::start(quick());
    let client = Client::new(&format!("http://{}/", server.address), Language::English).unwrap();
    assert_eq!(client.get("/").unwrap().unwrap(), b"fine");
    assert_eq!(client.get("/nowhere").unwrap(), None);
    assert_eq!(client.post("/bytes", &[7; 1000]).unwrap(), b"1000");
    let number = serde_json::json!({"number": 7});
    assert_eq!(
        client
            .post_json::<u8>("/number", Some("key"), &number)
            .unwrap(),
        7
    );
    let wrong = client.get_json::<u8>("/").unwrap_err();
    assert!(matches!(wrong, ClientError::Unexpected { .. }), "{wrong}");
}

#[test]
fn the_client_tells_a_refusal_in_the_servers_words() {
    let server = Server::start(quick());
    let address = format!("http://{}", server.address);
    for (language, words) in [
        (
            Language::English,
            "The JSON has not the form wanted: line 1, column 4: unknown field",
        ),
        (Language::Chinese, "JSON内容与要求不符"),
    ] {
        let client = Client::new(&address, language).unwrap();
        let body = serde_json::json!({"x": 1});
        let error = client.post_json::<u8>("/number", None, &body).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        let ClientError::Refused { problem, .. } = error else {
            panic!("{error}");
        };
        assert_eq!((problem.status, &*problem.code), (400, "json_unexpected"));
    }
    let client = Client::new(&address, Language::English).unwrap();
    let error = client
        .post("/bytes", &vec![0; quick().body_bytes + 1])
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("status 413 body_too_large: The body is too large"),
        "{error}"
    );
}

#[test]
fn the_client_refuses_addresses_that_it_cannot_ask() {
    for address in ["ftp://a", "127.0.0.1:1", "", "http://"] {
        let error = Client::new(address, Language::English).unwrap_err();
        assert!(matches!(error, ClientError::Address { .. }), "{address}");
    }
    // The port of a listener that is gone answers nobody.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = Client::new(&address, Language::English).unwrap();
    let error = client.get("/").unwrap_err();
    assert!(matches!(error, ClientError::Unreached { .. }), "{error}");
}
