//! Holders of tokens: each order has a name, and comes again under it until it
//! is answered.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trace_http::{
    client::{Client, ClientError},
    language::Language,
};
use zeroize::Zeroizing;

use crate::{
    door::{Door, Way, is_no_answer},
    program::Program,
    town::Town,
};

/// Somebody with a token of the producer's.
pub struct Holder {
    place: usize,
    token: Zeroizing<String>,
    order: Value,
    /// The answer to each order, by its name.
    pub done: BTreeMap<String, Value>,
    /// Orders that a server took and did not answer.
    pub cut: u64,
}

impl Holder {
    pub fn new(town: &Town, place: usize) -> Self {
        let today = town.world.lock().unwrap().today().to_string();
        Self {
            place,
            token: town.token.clone(),
            order: json!({
                "product": "黄瓜", "product_class": "vegetable", "quantity": "12.5 斤",
                "origin": "河北省廊坊市", "produced_on": today,
                "contact": {"name": "甲某某", "phone": "13800000000"},
            }),
            done: BTreeMap::new(),
            cut: 0,
        }
    }

    /// Orders until the door says that it is enough and nothing is unanswered.
    pub fn work(&mut self, door: &Door) {
        let mut way = door.next(&Way::default());
        let mut client = self.client(&way.address);
        while !door.is_ending() {
            let name = format!("order-{}-{}", self.place, self.done.len());
            let answer = loop {
                match door.ask(|| self.ask(&client, &name)) {
                    Ok(answer) => break answer,
                    Err(error) if is_no_answer(&error) => {
                        self.cut += 1;
                        way = door.next(&way);
                        client = self.client(&way.address);
                    }
                    Err(error) => panic!("{error}"),
                }
            };
            self.done.insert(name, answer);
        }
    }

    /// However often an order comes, it is the certificate that it was.
    pub fn ask_all_again(&self, server: &Program) {
        let client = self.client(&server.address);
        for (name, first) in &self.done {
            let again = self.ask(&client, name).unwrap();
            assert_eq!(what_was_made(&again), what_was_made(first), "{name}");
        }
    }

    /// The numbers of the certificates it was told of.
    pub fn numbers(&self) -> impl Iterator<Item = &str> {
        let answers = self.done.values();
        answers.map(|answer| answer["certificate_number"].as_str().unwrap())
    }

    fn client(&self, address: &str) -> Client {
        let client = Client::new(address, Language::English).unwrap();
        client.with_token(self.token.clone())
    }

    fn ask(&self, client: &Client, name: &str) -> Result<Value, ClientError> {
        client.post_json("/v1/certificates", Some(name), &self.order)
    }
}

/// Code, number, and each record's place and hash: the rest may be of a later
/// checkpoint.
fn what_was_made(answer: &Value) -> Vec<&Value> {
    let records = answer["records"].as_array().unwrap();
    assert_eq!(records.len(), 2, "{answer}");
    let mut made = vec![&answer["trace_code"], &answer["certificate_number"]];
    made.extend(records.iter().flat_map(|it| [&it["index"], &it["hash"]]));
    assert!(made.iter().all(|it| !it.is_null()), "{answer}");
    made
}
