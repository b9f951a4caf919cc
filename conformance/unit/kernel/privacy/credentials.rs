//! Passwords, tokens and keys that only their place or name shows.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::unwrap_used)]

use super::detectors::nothing;
use super::{all, found};
use serde_json::{json, Value};

/// In each text, `«value»` is found as a credential, and nothing else.
fn credentials(texts: &[&str]) {
    for text in texts {
        let (before, rest) = text.split_once('«').unwrap();
        let (value, after) = rest.split_once('»').unwrap();
        let found = found(&format!("{before}{value}{after}"));
        assert_eq!(found, [format!("credential:{value}")], "{text}");
    }
}

fn filtered(value: &Value) -> Value {
    all().redact_json(value).0
}

#[test]
fn the_password_of_an_address_goes_and_scheme_user_and_host_stay() {
    credentials(&[
        "postgresql://app:«s3cr3t»@db:5432/x",
        "mongodb+srv://u:«pw-Elm9»@c0.mail.example/?w=1",
        "redis://:«only»@cache.mail.example/0",
        "https://oauth2:«abcDEF123»@git.mail.example/x.git",
        "amqps://svc:«9fQ%21zz8»@mq.mail.example/vh",
        "ftp://field:«rose%40hill»@ftp.mail.example/pub",
        "http://user:«hunter»@proxy.mail.example:3128",
        "mongodb://r:«Tulip77x»@m1.mail.example:27017,m2.mail.example:27017/logs",
        "smtp://mailer:«p/ss#1»@mail.example:587",
    ]);
    let again = "redis://default:[CREDENTIAL]@cache.mail.example/1";
    let (text, _) = all().redact_text(&again.replace("[CREDENTIAL]", "w0mbat")).unwrap();
    assert_eq!(text, again);
    assert_eq!(all().redact_text(again).unwrap().0, again);
}

#[test]
fn an_address_without_a_password_stays() {
    nothing(&[
        "http://localhost:8080/a@b",
        "http://h:80,https://x@y",
        "see http://host/a:b@c and more",
        "https://USER:PASSWORD@host.mail.example/",
        "https://${USER}:${PASS}@host.mail.example/",
        "https://user:<token>@host.mail.example/",
        "postgres://user:@host.mail.example/",
        "postgres://user:****@host.mail.example/",
    ]);
}

#[test]
fn a_value_is_found_by_the_name_of_its_variable_parameter_or_header() {
    credentials(&[
        "password: «Birch-Lake-27»",
        "password: «swordfish»",
        "Password=«Quartz#55»;Encrypt=true",
        "jdbc:mysql://h/db?user=a&password=«Elm_tree»&ssl=true",
        "PASSWORD=«Robin»",
        "export DB_PASSWORD='«Robin»'",
        "spring.datasource.password=«Hawk!owl2»",
        "passwd = '«Siskin_2_Wren»'",
        "password => '«Siskin_2_Wren»'",
        "secret: '«nine-lives-cat»'",
        "**Password:** «Marsh77x»",
        "<password>«Marsh77x»</password>",
        "api_key = \"«jrahwej8e7tjtvqszuhemjbxnpoc»\"",
        "client_secret=«VQs5K4gFe8vDVv8s8ioronJ07ydUINjA»&grant_type=client_credentials",
        "aws_secret_access_key = «FTmLdGwih7+7ihz0KoAXDk51UGbpRO6IGrTLusy7»",
        "AccountName=a;AccountKey=«stkQDDtbR65/94hgnWWIWg2tvwlpFdb0lQ==»;EndpointSuffix=b",
        "//registry.mail.example/:_authToken=«dff1719e-0dbe-b5b8-59bb-a5b6e76b29c1»",
        "Authorization: Bearer «0mIvjxaUzNVE9NncJ5xp8FJCh3tZ»",
        "Proxy-Authorization: Basic «dXNlcjpwYXNz»",
        "headers['Authorization'] = 'Bearer «abc123def456»'",
        "X-Api-Key: «5GvHMs4r1g2tYGxh1HUzLj9T8J985TXi»\r\nAccept: */*",
        "Cookie: sessionid=«e0u4b8vvpss1122fjlc6vjjy6mu9e9hq»; theme=dark",
        "set-cookie: JSESSIONID=«AB12CD34EF56»; Path=/; HttpOnly",
        "session_id=«e0u4b8vvpss1122fjlc6vjjy6mu9e9hq»",
        "SESSION-ID: «e0u4b8vvpss1122fjlc6vjjy6mu9e9hq»",
        "GET /feed?access_token=«inyr298rhhbc8ctfaoa5m83d»&page=2",
        "https://f.mail.example/c?sv=2025-01-05&sig=«qsrp6bw9BxoGbujDMetDTE8Y8Z3o%3D»",
        "{\"user\": \"mo\", \"password\": \"«Avocet-Rain-5»\"}",
        "INFO resp={\\\"refresh_token\\\":\\\"«p7jDt6X5W9kBeakCf5GJFL»\\\",\\\"scope\\\":\\\"read\\\"}",
    ]);
}

#[test]
fn a_value_is_found_by_its_place_in_a_command() {
    credentials(&[
        "curl -u ops:«Marigold9x» https://ci.mail.example/job",
        "curl --user 'ann:«Marsh-77»' https://x",
        "deploy --user ci --password «Plover88z» --dry-run",
        "app --token «abcd1234efgh»",
        "app --api-key=«abcd1234efgh»",
        "PGPASSWORD=«Dunlin56» psql -h pg",
        "mysql -u root -p«Marsh77» db",
        "sshpass -p '«Marsh77»' ssh x",
        "docker login -u me -p «Marsh77» reg",
        "redis-cli -a «Marsh77» ping",
        "curl -H \"X-Auth-Token: «zftdftfvbvgb5zk2a1es824hsr»\" https://x",
        "machine h login ann password «marshes»",
        "default\n  login ann\n  password «Wren-441-Q»\n",
    ]);
}

#[test]
fn what_cannot_be_a_secret_stays() {
    nothing(&[
        "password: ${DB_PASSWORD}",
        "password: {{ vault.pw1 }}",
        "password=$PW1",
        "password=%PW1%",
        "password: <your password 1>",
        "password=********",
        "password: [CREDENTIAL]",
        "api-key: YOUR_API_KEY_1",
        "token: ${{ secrets.DEPLOY_TOKEN }}",
        "Authorization: Bearer <token>",
        "Authorization: Bearer authentication is required",
        "password: must be 8 characters",
        "password: required",
        "password: string",
        "def login(user, password: str) -> Token:",
        "password = getpass.getpass()",
        "password=self.password2",
        "api_key=os.environ[\"API_KEY\"]",
        "const token = await getToken2();",
        "if token == 'abc123abc123'",
        "token: Uint8Array,",
        "let secret: [u8; 32] = x;",
        "token = TOKEN_2FA",
        "output_token: \"InvalidationList.NextMarker\"",
        "MAGIC_SIGNATURE = 0xfade0cc0",
        "\"sig\": \"d4fbdb52bfa726b44d1786a8c0d171c3e62ca83c\"",
        "signature: d4fbdb52bfa726b44d1786a8c0d171c3e62ca83c",
        "private_key: /etc/ssl/key1.pem",
        "PWD=/home/user1/x",
        "Token::parse_v2(x)",
        "Enter password: ",
    ]);
}

#[test]
fn a_name_of_something_else_names_no_secret() {
    nothing(&[
        "tokens: 512, max_tokens=4096",
        "token_type: bearer",
        "nextPageToken: CiAKGjBpNDd2Nmp2Zml2cXRwYjBpOXA1",
        "primary_key=user_id2",
        "public_key: abc123def456",
        "secretName: tls-secret-2",
        "compass: north-42",
        "author: ann2 smith12",
        "tokenizer: bpe-32k",
        "session: 2026-01-02",
        "session_id: 2585c035-4c55-282c-7727-d48e9a17eee2",
        "password_hash_algorithm: bcrypt12",
        "--password-stdin --token-file /x/y1",
        "docker run -u 1000:1000 -p 8080:80 img",
        "mkdir -p dir1234",
        "mysql -p3306",
        "the login and password fields2",
    ]);
}

#[test]
fn a_member_of_a_value_has_its_name_as_context_but_not_what_is_below() {
    let value = json!({
        "user": "mo", "password": "swordfish", "headers": { "Authorization": "Token 85156bea51855dfc" },
        "Cookie": "sid=ab12cd34ef56gh78; theme=dark", "pins": { "secret": ["violet-anchor-90"] },
        "env": [{ "name": "DB_PASSWORD", "value": "Robin7" }, { "name": "DB_HOST", "value": "Robin7" }],
        "credentials": { "token_type": "bearer", "expires_in": 3600 },
    });
    let expected = json!({
        "user": "mo", "password": "[CREDENTIAL]", "headers": { "Authorization": "Token [CREDENTIAL]" },
        "Cookie": "sid=[CREDENTIAL]; theme=dark", "pins": { "secret": ["[CREDENTIAL]"] },
        "env": [{ "name": "DB_PASSWORD", "value": "[CREDENTIAL]" }, { "name": "DB_HOST", "value": "Robin7" }],
        "credentials": { "token_type": "bearer", "expires_in": 3600 },
    });
    assert_eq!(filtered(&value), expected);
    assert_eq!(filtered(&expected), expected);
    // The same as a JSON text.
    let text = filtered(&Value::String(value.to_string()));
    assert_eq!(serde_json::from_str::<Value>(text.as_str().unwrap()).unwrap(), expected);
    for stays in [
        json!({ "max_tokens": 4096, "token_count": 512, "secret": null, "password": true }),
        json!({ "password": { "type": "string", "minLength": 8, "description": "At least 8 of a1" } }),
        json!({ "password": "Password must be 8 characters", "token": "required" }),
    ] {
        assert_eq!(filtered(&stays), stays);
    }
}

#[test]
fn a_value_longer_than_what_is_read_of_it_goes_whole() {
    let long = "5GvHMs4r1g2tYGxh".repeat(1000);
    assert_eq!(filtered(&json!({ "token": long })), json!({ "token": "[CREDENTIAL]" }));
    for (before, after) in
        [("token=", ""), ("token=", " end"), ("password: \"", "\","), ("--token ", "\n")]
    {
        let text = |value: &str| Value::String(format!("{before}{value}{after}"));
        assert_eq!(filtered(&text(&long)), text("[CREDENTIAL]"));
    }
}

#[test]
fn the_secret_members_of_a_json_web_key_go() {
    let d = "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE";
    let value = json!({ "kty": "EC", "crv": "P-256", "x": d, "d": d, "kid": "1" });
    let expected = json!({ "kty": "EC", "crv": "P-256", "x": d, "d": "[PRIVATE_KEY]", "kid": "1" });
    assert_eq!(filtered(&value), expected);
    let text = filtered(&Value::String(value.to_string()));
    assert_eq!(serde_json::from_str::<Value>(text.as_str().unwrap()).unwrap(), expected);
    let logged = format!("loaded {}", json!({ "k": d, "kty": "oct" }));
    assert_eq!(found(&logged), [format!("private-key:{d}")]);
    // Without a type it is any member of one letter.
    let other = json!({ "d": d, "k": d });
    assert_eq!(filtered(&other), other);
    nothing(&[&format!("loaded {other}")]);
}
