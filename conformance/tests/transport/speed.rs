//! What an exchange costs more than curl by itself: printed, and held below a bound that only a mistake
//! would reach.

use super::exchange;
use super::server::{Play, Server};
use mpp::network::CurlTransport;
use mpp::network::HttpTransport;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn median(mut run: impl FnMut()) -> Duration {
    run(); // looks for curl, fills caches
    let mut times: Vec<Duration> = (0..20)
        .map(|_| {
            let began = Instant::now();
            run();
            began.elapsed()
        })
        .collect();
    times.sort();
    times[10]
}

#[test]
#[ignore = "measures"]
fn an_exchange_costs_little_more_than_curl() {
    let server =
        Server::start(Play::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec()));
    let transport = CurlTransport::new(None);
    let ours = median(|| {
        transport.exchange(&exchange(server.at()), &|| false).unwrap();
    });
    let url = format!("http://{}/", server.at());
    let plain = median(|| {
        let mut command = Command::new("curl");
        let status = command.args(["-q", "-s", &url]).stdout(Stdio::null()).status();
        assert!(status.unwrap().success());
    });
    println!("one exchange: {ours:?}, curl by itself: {plain:?} (medians of 20)");
    assert!(ours < plain * 3 + Duration::from_millis(20), "{ours:?}, {plain:?}");
}
