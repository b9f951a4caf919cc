//! The same against nginx and a certification authority that is made for the test: TLS, real pages, real
//! redirects. Not for a newcomer's `cargo test`; `.ci/run` asks for these.

use super::fake::FakeTransport;
use super::server::{Play, Server};
use super::table::Means;
use super::{exchange, kind};
use crate::cli::Place;
use crate::support::Folder;
use mpp::network::CurlTransport;
use mpp::network::{Exchange, HttpResponse, HttpTransport, TransportError};
use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Each is a server of its own, with the certificate of that name.
const CERTIFIED: [&str; 9] = [
    "good",
    "localhost",
    "wildcard",
    "other_name",
    "by_address",
    "expired",
    "not_yet",
    "unknown_issuer",
    "self_signed",
];
const PAGE: &str = "<!doctype html><title>A page</title>\n";
const LARGE_BYTES: usize = 3_000_000;

pub struct Nginx {
    process: Child,
    folder: Folder,
    ports: BTreeMap<String, u16>,
    _echo: Server,
}

impl Nginx {
    pub fn start() -> Self {
        let folder = Folder::new("nginx");
        let make = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("conformance/tests/transport/make_certificates");
        let made = Command::new(make).arg(folder.path()).output().unwrap();
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "is openssl installed (apt-get install openssl)? {said}");
        fs::create_dir(folder.path().join("pages")).unwrap();
        fs::write(folder.path().join("pages/page.html"), PAGE).unwrap();
        fs::write(folder.path().join("pages/large.txt"), vec![b'a'; LARGE_BYTES]).unwrap();
        fs::write(folder.path().join("pages/too_large.bin"), vec![b'a'; 5_000_000]).unwrap();

        let echo = Server::start(Play::Echo);
        let names = CERTIFIED.into_iter().chain(["old_tls", "plain"]);
        let ports: BTreeMap<String, u16> = names.zip(free_ports(11)).map(named).collect();
        fs::write(folder.path().join("nginx.conf"), config(&ports, echo.at())).unwrap();
        let process = Command::new(nginx_program())
            .arg("-p")
            .arg(folder.path())
            .args(["-e", "error.log", "-c", "nginx.conf"])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let nginx = Nginx { process, folder, ports, _echo: echo };
        let began = Instant::now();
        while TcpStream::connect(nginx.at("plain")).is_err() {
            let log = fs::read_to_string(nginx.folder.path().join("error.log"));
            assert!(began.elapsed() < Duration::from_secs(10), "nginx does not start: {log:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
        nginx
    }

    pub fn at(&self, name: &str) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.ports[name]))
    }

    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    pub fn transport(&self) -> CurlTransport {
        CurlTransport::new(Some(self.ca_file()))
    }

    fn ask(&self, name: &str, target: &str) -> Result<HttpResponse, TransportError> {
        let exchange = Exchange { is_https: true, target, ..exchange(self.at(name)) };
        self.transport().exchange(&exchange, &|| false)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn named((name, port): (&str, u16)) -> (String, u16) {
    (name.to_owned(), port)
}

/// Debian puts it where only root's PATH leads.
fn nginx_program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders =
        std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let program = folders.map(|folder| folder.join("nginx")).find(|program| program.is_file());
    program.expect("this test needs nginx: apt-get install nginx-light openssl curl")
}

/// Held all at once, so that they differ, and let go.
fn free_ports(count: usize) -> Vec<u16> {
    let held: Vec<_> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    held.iter().map(|listener| listener.local_addr().unwrap().port()).collect()
}

fn config(ports: &BTreeMap<String, u16>, echo: SocketAddr) -> String {
    let mut servers = String::new();
    for (name, port) in ports {
        let (listen, tls) = match name.as_str() {
            "plain" => ("", String::new()),
            "old_tls" => (" ssl", certificate("good", "TLSv1.1")),
            name => (" ssl", certificate(name, "TLSv1.2 TLSv1.3")),
        };
        // For names that lead to both.
        let ipv6 = match TcpListener::bind(("::1", *port)) {
            Ok(_) => format!("listen [::1]:{port}{listen};"),
            Err(_) => String::new(),
        };
        servers.push_str(&format!(
            "server {{ listen 127.0.0.1:{port}{listen}; {ipv6} {tls}
               location / {{ root pages; }}
               location /zip/ {{ alias pages/; gzip on; gzip_types *; gzip_min_length 1; }}
               location /slow/ {{ alias pages/; limit_rate 1000; }}
               location = /only_with_secret {{ if ($http_authorization = \"Bearer hidden-in-header\") {{ return 200; }} return 403; }}
               location /away {{ return 302 https://169.254.169.254/latest/meta-data/; }}
               location /echo {{ proxy_pass http://{echo}; proxy_http_version 1.1; }}
             }}\n"
        ));
    }
    format!(
        "daemon off; master_process off; worker_processes 1; pid nginx.pid;
         events {{ worker_connections 256; }}
         http {{
           types {{ text/html html; text/plain txt; }}
           access_log off; client_max_body_size 10m; server_tokens off;
           client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
           uwsgi_temp_path uwsgi; scgi_temp_path scgi;
           {servers}
         }}\n"
    )
}

fn certificate(name: &str, protocols: &str) -> String {
    format!(
        "ssl_certificate {name}.pem; ssl_certificate_key {name}.key; ssl_protocols {protocols};"
    )
}

fn header<'a>(response: &'a HttpResponse, name: &str) -> Option<&'a str> {
    let found = response.headers.iter().find(|(found, _)| found == name);
    found.map(|(_, value)| value.as_str())
}

#[test]
#[ignore = "needs nginx and openssl"]
fn pages_come_over_tls_and_redirects_are_not_followed() {
    let nginx = Nginx::start();
    for name in ["good", "wildcard"] {
        let page = nginx.ask(name, "/page.html").unwrap();
        assert_eq!((page.status, page.body.as_slice()), (200, PAGE.as_bytes()));
        assert_eq!(header(&page, "content-type"), Some("text/html"));
    }
    assert_eq!(nginx.ask("good", "/large.txt"), Err(TransportError::TooLarge));
    let away = nginx.ask("good", "/away").unwrap();
    assert_eq!(away.status, 302);
    assert_eq!(header(&away, "location"), Some("https://169.254.169.254/latest/meta-data/"));
    assert_eq!(nginx.ask("good", "/nowhere").unwrap().status, 404);

    let at = nginx.at("good");
    let transport = nginx.transport();
    let large = Exchange {
        is_https: true,
        target: "/large.txt",
        response_bytes_max: LARGE_BYTES,
        ..exchange(at)
    };
    assert_eq!(transport.exchange(&large, &|| false).unwrap().body.len(), LARGE_BYTES);
    let head = Exchange { method: "HEAD", response_bytes_max: 10, ..large.clone() };
    let head = transport.exchange(&head, &|| false).unwrap();
    assert_eq!((header(&head, "content-length"), head.body.len()), (Some("3000000"), 0));
    // Compressed and in chunks, since this was requested: passed on unmodified.
    let accept = [("Accept-Encoding".to_owned(), "gzip".to_owned())];
    let zipped = Exchange { target: "/zip/large.txt", headers: &accept, ..large.clone() };
    let zipped = transport.exchange(&zipped, &|| false).unwrap();
    assert_eq!(header(&zipped, "content-encoding"), Some("gzip"));
    assert!(zipped.body.starts_with(&[0x1f, 0x8b]) && zipped.body.len() < 100_000);
    let body: Vec<u8> = (0..700_000).map(|number: usize| (number * 7 % 251) as u8).collect();
    let echo = Exchange { target: "/echo", method: "POST", body: &body, ..large.clone() };
    assert!(transport.exchange(&echo, &|| false).unwrap().body.ends_with(&body));
    let slow =
        Exchange { target: "/slow/large.txt", timeout: Duration::from_millis(1_500), ..large };
    assert_eq!(transport.exchange(&slow, &|| false), Err(TransportError::TimedOut));
}

#[test]
#[ignore = "needs nginx and openssl"]
fn a_certificate_that_is_not_valid_for_the_host_ends_the_exchange() {
    let nginx = Nginx::start();
    let fake = FakeTransport::default();
    for name in CERTIFIED.into_iter().chain(["old_tls", "plain"]) {
        let is_good = matches!(name, "good" | "wildcard");
        let result = nginx.ask(name, "/page.html");
        let means = match is_good {
            true => Means::Response(result.clone().unwrap()),
            false => Means::Fails(TransportError::Tls(String::new())),
        };
        let faked = fake.exchange(&exchange(fake.serve(means)), &|| false);
        let kinds = [result, faked].map(|result| result.map(|page| page.status));
        let kinds = kinds.map(|result| result.map_err(|error| kind(&error)));
        let expected = if is_good { Ok(200) } else { Err("tls") };
        assert_eq!(kinds, [expected, expected], "{name}");
    }
    // A name below a wildcard's is another name.
    let at = nginx.at("wildcard");
    let below = Exchange { is_https: true, host: "a.www.example.com", ..exchange(at) };
    let result = nginx.transport().exchange(&below, &|| false);
    assert_eq!(kind(&result.unwrap_err()), "tls");
    // The right certificate, and the name of another host.
    let other = Exchange { is_https: true, host: "www.example.net", ..exchange(nginx.at("good")) };
    let result = nginx.transport().exchange(&other, &|| false);
    assert_eq!(kind(&result.unwrap_err()), "tls");
}

#[test]
#[ignore = "needs nginx and openssl"]
fn only_the_named_authorities_count_and_a_missing_file_is_the_hosts_fault() {
    let nginx = Nginx::start();
    let exchange = Exchange { is_https: true, ..exchange(nginx.at("good")) };
    let ask =
        |transport: CurlTransport| kind(&transport.exchange(&exchange, &|| false).unwrap_err());
    assert_eq!(ask(CurlTransport::new(None)), "tls");
    let folder = nginx.folder.path();
    assert_eq!(ask(CurlTransport::new(Some(folder.join("stranger.pem")))), "tls");
    assert_eq!(ask(CurlTransport::new(Some(folder.join("missing.pem")))), "host");
    assert_eq!(ask(CurlTransport::new(Some(folder.join("nginx.conf")))), "host");
}

#[test]
#[ignore = "needs nginx and openssl"]
fn plain_http_and_https_do_not_pass_for_one_another() {
    let nginx = Nginx::start();
    let plain = Exchange { target: "/page.html", ..exchange(nginx.at("plain")) };
    let page = nginx.transport().exchange(&plain, &|| false).unwrap();
    assert_eq!(page.body, PAGE.as_bytes());
    // nginx reports it in a response.
    let to_tls = Exchange { target: "/page.html", ..exchange(nginx.at("good")) };
    assert_eq!(nginx.transport().exchange(&to_tls, &|| false).unwrap().status, 400);
    assert_eq!(kind(&nginx.ask("plain", "/page.html").unwrap_err()), "tls");
}

#[test]
#[ignore = "needs nginx"]
fn a_package_is_installed_over_https_and_nothing_else_that_a_server_sends() {
    let nginx = Nginx::start();
    let place = Place::new("install-https");
    let ca = nginx.ca_file();
    let pages = nginx.folder.path().join("pages");
    fs::copy(place.path("fine.mpp"), pages.join("fine.mpp")).unwrap();
    let install = |server: &str, page: &str| {
        let url = format!("https://localhost:{}/{page}", nginx.ports[server]);
        place.mpp(&["install", &url, "--ca-file", ca.to_str().unwrap(), "--yes", "--json"])
    };
    install("localhost", "page.html").exits(1).says(&["archive."]);
    install("localhost", "missing").exits(4).says(&["404"]);
    install("localhost", "away").exits(4).says(&["redirects to no valid URL"]);
    install("expired", "fine.mpp").exits(4);
    install("self_signed", "fine.mpp").exits(4);
    assert_eq!(place.mpp(&["list", "--json"]).json(), serde_json::json!([]));
    let installed = install("localhost", "fine.mpp").exits(0).json();
    assert_eq!(installed["id"], "org.example.fine");
}
