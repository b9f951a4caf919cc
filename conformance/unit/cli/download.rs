//! Downloads over a transport that answers from a table.

use super::*;
use std::net::IpAddr;
use std::sync::Mutex;

/// Answers each URL with a status, a `location` and a body, and notes what was requested.
struct Table {
    answers: Vec<(&'static str, u16, &'static str)>,
    requested: Mutex<Vec<String>>,
    addresses: Vec<IpAddr>,
    unreachable: Option<IpAddr>,
}

impl Table {
    fn new(answers: &[(&'static str, u16, &'static str)]) -> Self {
        Table {
            answers: answers.to_vec(),
            requested: Mutex::default(),
            addresses: vec!["192.0.2.1".parse().unwrap()],
            unreachable: None,
        }
    }
}

impl HttpTransport for Table {
    fn resolve(
        &self,
        _: &str,
        _: Duration,
        _: &dyn Fn() -> bool,
    ) -> Result<Vec<IpAddr>, TransportError> {
        Ok(self.addresses.clone())
    }

    fn exchange(
        &self,
        exchange: &Exchange<'_>,
        _: &dyn Fn() -> bool,
    ) -> Result<HttpResponse, TransportError> {
        assert!(exchange.is_https && exchange.method == "GET" && exchange.headers.is_empty());
        assert_eq!(exchange.response_bytes_max, ARCHIVE_BYTES_MAX);
        if self.unreachable == Some(exchange.address) {
            return Err(TransportError::Unreachable("no route".to_owned()));
        }
        let url = format!("https://{}{}", exchange.host, exchange.target);
        self.requested.lock().unwrap().push(url.clone());
        let (_, status, location) =
            self.answers.iter().find(|(known, ..)| *known == url).copied().unwrap_or(("", 404, ""));
        let headers = vec![("location".to_owned(), location.to_owned())];
        Ok(HttpResponse { status, headers, body: b"package".to_vec() })
    }
}

#[test]
fn a_redirect_to_another_host_is_followed_and_its_body_returned() {
    let table = Table::new(&[
        ("https://a.example/p.mpp", 302, "https://b.example/x?y=1"),
        ("https://b.example/x?y=1", 200, ""),
    ]);
    assert_eq!(package("https://a.example/p.mpp", &table).unwrap(), b"package");
    assert_eq!(table.requested.lock().unwrap().len(), 2);
}

#[test]
fn an_address_that_cannot_be_reached_gives_way_to_the_next() {
    let mut table = Table::new(&[("https://a.example/", 200, "")]);
    table.addresses.insert(0, "192.0.2.9".parse().unwrap());
    table.unreachable = Some(table.addresses[0]);
    assert!(package("https://a.example/", &table).is_ok());
    table.addresses.truncate(1);
    assert!(package("https://a.example/", &table).is_err());
}

#[test]
fn what_is_not_https_is_refused_before_and_after_a_redirect() {
    let table = Table::new(&[("https://a.example/", 302, "http://a.example/")]);
    for url in ["http://a.example/", "https://a.example/"] {
        let error = package(url, &table).unwrap_err();
        assert!(error.detail().contains("over https only"), "{error}");
    }
    assert_eq!(table.requested.lock().unwrap().len(), 1);
}

#[test]
fn a_url_without_one_meaning_is_refused_unrequested() {
    let table = Table::new(&[]);
    for url in [
        "https://",
        "https:///x",
        "https://user@a.example/",
        "https://127.0.0.1/x",
        "https://[::1]/",
        "https://a.example\\@b.example/",
        "ftp://a.example/x",
        "file:///etc/passwd",
        "https://a.example/\u{1b}[2J",
        "https://a.example/ -o x",
    ] {
        assert_eq!(package(url, &table).unwrap_err().code(), Code::HostFile, "{url}");
    }
    assert!(table.requested.lock().unwrap().is_empty());
}

#[test]
fn a_circle_a_redirect_to_nowhere_and_any_other_status_are_refused() {
    let circle = Table::new(&[("https://a.example/", 301, "/")]);
    assert!(package("https://a.example/", &circle).unwrap_err().detail().contains("too many"));
    assert_eq!(circle.requested.lock().unwrap().len(), HTTP_REDIRECTS_COUNT_MAX + 1);
    let nowhere = Table::new(&[("https://a.example/", 301, "https://10.0.0.1/")]);
    assert!(package("https://a.example/", &nowhere).is_err());
    for status in [204, 206, 300, 304, 403, 404, 500] {
        let table = Table { answers: vec![("https://a.example/", status, "")], ..Table::new(&[]) };
        let error = package("https://a.example/", &table).unwrap_err();
        assert!(error.detail().contains(&status.to_string()), "{error}");
    }
}
