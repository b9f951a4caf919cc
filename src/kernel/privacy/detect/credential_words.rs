//! Words around credentials: what names mean, and programs with options. `credentials.rs` reads them.

use super::context_words::Hints;

/// The ends of names in small letters, and what their values are. After `=` they are whole words. Marks
/// between them do not count, except near the end. The longest end counts.
// [PRIV-105]
#[rustfmt::skip]
pub(super) const NAMES: &[(Hints, &str, &str)] = &[
    (Hints::PASSWORD, "password passwd passphrase passwort passcode secret =pwd =pass =psk sshpass", "chosen by a person: any characters, few of them"),
    (Hints::TOKEN, "token apikey accesskey secretkey secretkeybase privatekey authkey accountkey encryptionkey signingkey masterkey", "made by a program: characters without words in them"),
    (Hints::TOKEN, "servicekey subscriptionkey functionskey appkey applicationkey sharedkey hmackey jwtkey authorization =auth =credential =bearer", "the same"),
    (Hints::SIGNED, "=sig signature", "as a token, but only in a query: other signatures are public"),
    (Hints::SESSION, "sessionid session_id session-id sessid sess_id sess-id =session =sid", "as a token, but longer: the name has other meanings"),
    (Hints::COOKIES, "=cookie =setcookie", "`name=value` pairs"),
    (Hints::NONE, "pagetoken nexttoken continuationtoken synctoken resumetoken cursortoken canceltoken cancellationtoken", "places in lists and the like"),
    (Hints::NONE, "forgotpassword resetpassword", "links and forms"),
];

/// Programs that take a password after an option, which a space follows if it is there.
// [PRIV-106]
#[rustfmt::skip]
pub(super) const PROGRAMS: &[(&str, &str)] = &[
    ("mysql", "-p"),
    ("mariadb", "-p"),
    ("sshpass", "-p"),
    ("docker login", "-p "),
    ("7z", "-p"),
    ("redis-cli", "-a "),
];
