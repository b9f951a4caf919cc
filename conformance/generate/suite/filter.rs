//! Values through the privacy filter: what each detector finds, and what must stay unmodified.

use super::case::Case;
use serde_json::{json, Value};

pub fn cases() -> Vec<Case> {
    let mut cases = kinds();
    cases.extend(folding());
    cases.extend(hints());
    cases.extend(walk());
    cases.extend(replacement());
    cases.extend(settings());
    cases.extend(kept());
    cases
}

/// A value and what becomes of it, with every kind on.
fn case(id: &str, title: &str, why: &str, spec: &str, value: Value, filtered: Value) -> Case {
    Case::filter(&format!("filter/{id}"), value)
        .says(title, why)
        .spec(spec)
        .answers(json!({ "value": filtered }))
}

/// Texts in which each value is enclosed in `«` and `»`, and is found with the label `label`.
fn found(id: &str, title: &str, spec: &str, label: &str, texts: &[&str]) -> Case {
    let given = texts.iter().map(|text| Value::from(text.replace(['«', '»'], "")));
    let label = format!("[{label}]");
    let filtered = texts.iter().map(|text| {
        let mut pieces = text.split('«');
        let mut out = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let (_, rest) = piece.split_once('»').unwrap_or_else(|| panic!("{text}: no »"));
            out.push_str(&label);
            out.push_str(rest);
        }
        Value::from(out)
    });
    let why = "Any value of this form is personal data, and is redacted.";
    case(id, title, why, spec, Value::Array(given.collect()), Value::Array(filtered.collect()))
}

/// Texts that stay as they are.
fn untouched(id: &str, title: &str, spec: &str, texts: &[&str]) -> Case {
    let why = "A filter that mangles other things is switched off.";
    case(id, title, why, spec, json!(texts), json!(texts))
}

fn kinds() -> Vec<Case> {
    let mut cases = secrets();
    cases.extend(numbers());
    cases.extend(persons());
    cases.extend(contacts());
    cases
}

fn secrets() -> Vec<Case> {
    vec![
        found(
            "private-key",
            "Private keys in their armour, whole and cut off",
            "PRIV-01 PRIV-100",
            "PRIVATE_KEY",
            &[
                "see «-----BEGIN RSA PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw\n-----END RSA PRIVATE KEY-----» now",
                "«-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw»\n...",
            ],
        ),
        untouched(
            "private-key-other",
            "Armour of other things, and words about private keys",
            "PRIV-100",
            &[
                "-----BEGIN CERTIFICATE-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw\n-----END CERTIFICATE-----",
                "it begins with -----BEGIN PRIVATE KEY----- and ends with -----END PRIVATE KEY-----",
            ],
        ),
        found(
            "web-token",
            "JSON Web Tokens, with a signature and without",
            "PRIV-101 PRIV-102",
            "JWT",
            &[
                "Bearer «eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N»",
                "«eyJhbGciOiJub25lIn0.eyJzdWIiOiIxMjM0NTY3ODkwIn0».",
            ],
        ),
        untouched(
            "web-token-other",
            "Headers that name no algorithm, and a token in a word",
            "PRIV-101 PRIV-102",
            &["eyJ0ZXN0IjoxfQ.eyJzdWIiOiIxIn0.abc", "xeyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0"],
        ),
        found(
            "api-key",
            "Keys of services by their prefixes",
            "PRIV-102 PRIV-103",
            "API_KEY",
            &[
                "key=«AKIAIOSFODNN7EXAMPLE»",
                "«ghp_16C7e42F292c6912E7710c838347Ae178B4a».",
                "\"«sk_live_4eC39HqLyjWDarjtT1zdp7dc»\"",
                "id_«xoxb-123456789012-123456789012-abcdefghijklmnop»",
                "«glpat-abcDEF1234567890abcd», «AIzaSyDaGmWKa4JsXZ-HjGw7ISLn_3namBGewQe»",
            ],
        ),
        untouched(
            "api-key-other",
            "Prefixes with too little after them, in words, and hashes",
            "PRIV-102 PRIV-103",
            &[
                "AKIAIOSFODNN7EXAMPL",
                "ghp_short",
                "xghp_16C7e42F292c6912E7710c838347Ae178B4a",
                "sk-circle-fade-dot-one-two-three-four-five-six-seven",
                "3f786850e387550fdab836ed7e6dc881de23001b",
            ],
        ),
        found(
            "api-key-marked",
            "Keys with a mark inside",
            "PRIV-103",
            "API_KEY",
            &[
                "«0123456789abcdef0123456789abcdef-us12»",
                "/bot«6612588116:AAysqqMEWWIPii4AvSWOhAaRA_ML-e-u2DS»/getMe",
            ],
        ),
        found(
            "address-password",
            "Passwords in addresses; scheme, user and host stay",
            "PRIV-104",
            "CREDENTIAL",
            &[
                "postgresql://app:«s3cr3t»@db:5432/x",
                "redis://:«only»@cache.mail.example/0",
                "ftp://field:«rose%40hill»@ftp.mail.example/pub",
            ],
        ),
        untouched(
            "address-password-other",
            "Ports, placeholders, and addresses without a password",
            "PRIV-104 PRIV-108",
            &[
                "http://localhost:8080/a@b",
                "https://USER:PASSWORD@host.mail.example/",
                "https://${USER}:${PASS}@host.mail.example/",
            ],
        ),
        found(
            "credential",
            "Values by the name of a variable, header, parameter or option",
            "PRIV-105 PRIV-106",
            "CREDENTIAL",
            &[
                "password: «Birch-Lake-27»",
                "Password=«Quartz#55»;Encrypt=true",
                "api_key = \"«jrahwej8e7tjtvqszuhemjbxnpoc»\"",
                "Authorization: Bearer «0mIvjxaUzNVE9NncJ5xp8FJCh3tZ»",
                "Cookie: sessionid=«e0u4b8vvpss1122fjlc6vjjy6mu9e9hq»; theme=dark",
                "curl -u ops:«Marigold9x» https://ci.mail.example/job",
                "deploy --user ci --password «Plover88z» --dry-run",
                "machine h login ann password «marshes»",
            ],
        ),
        untouched(
            "credential-other",
            "Placeholders, code, prose, types, and names of other things",
            "PRIV-105 PRIV-106 PRIV-108",
            &[
                "password: ${DB_PASSWORD}, Authorization: Bearer <token>",
                "password = getpass.getpass()",
                "password: required",
                "tokens: 512, max_tokens=4096",
                "nextPageToken: CiAKGjBpNDd2Nmp2Zml2cXRwYjBpOXA1",
                "docker run -u 1000:1000 -p 8080:80 img",
            ],
        ),
        found(
            "credential-forms",
            "Values that paths, numbers, code and naming words resemble",
            "PRIV-104 PRIV-108",
            "CREDENTIAL",
            &[
                "password: «a1b2»",
                "password: «/Zq3vTn8wLk5RmB2dHc7JfP4sGy9XeA6uQo1MiNt»",
                "password: «0x3f91c77ab20de64f15»",
                "password = \"«@Marigold9x»\"",
                "Authorization: Bearer «aB9xK.z_2(qW7)kkR»",
                "postgresql://app:«pw9»@db:5432/x",
            ],
        ),
        untouched(
            "credential-forms-other",
            "Paths, numbers, code and naming words",
            "PRIV-104 PRIV-108",
            &[
                "the password: a1b2 it is",
                "password: /Zq3vTn8wLk5RmB2dHc7JfP4sGy9XeA6uQo1MiN",
                "password: ./3rd-party",
                "password: 0x3f91c77ab20de64f1",
                "password = @Marigold9x",
                "password = #Marigold9x",
                "token: aB9xK.z_2(qW7)kkR",
                "postgresql://app:pw@db:5432/x",
            ],
        ),
        case(
            "credential-member",
            "Values by the name of their member",
            "A name says more than the value.",
            "PRIV-105 PRIV-107 PRIV-108",
            json!({ "password": "swordfish", "token": { "type": "string" }, "env": [{ "name": "PW_TOKEN", "value": "ab12cd34ef56" }], "jwk": { "kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qz" } }),
            json!({ "password": "[CREDENTIAL]", "token": { "type": "string" }, "env": [{ "name": "PW_TOKEN", "value": "[CREDENTIAL]" }], "jwk": { "kty": "oct", "k": "[PRIVATE_KEY]" } }),
        ),
    ]
}

fn numbers() -> Vec<Case> {
    vec![
        found(
            "card",
            "Cards of several issuers, as people write them",
            "PRIV-110 PRIV-111 PRIV-31",
            "CREDIT_CARD",
            &[
                "«4012888888881881»",
                "a «4012 8888 8888 1881» b",
                "«4012-8888-8888-1881»; «4012.8888.8888.1881»",
                "«3714 496353 98431», «378282246310005»",
                "卡号«4012888888881881»。",
            ],
        ),
        found(
            "card-named",
            "Cards that a word names, however they are grouped",
            "PRIV-33 PRIV-21",
            "CREDIT_CARD",
            &[
                "card «40128888\n88881881» is",
                "Visa «4012 88888888 1881»",
                "credit card «7777777777777771»",
            ],
        ),
        untouched(
            "card-other",
            "Numbers with a valid check digit that are never issued, and parts of others",
            "PRIV-110 PRIV-111 PRIV-31 PRIV-32 PRIV-33",
            &[
                "7777777777777771",
                "0000000000000000",
                "0.4012888888881881",
                "a4012888888881881",
                "4012888888881881b",
                "550e8400-e29b-41d4-a716-501971701010",
                "4006381333931",
                "4012888888881882",
                "1748503543012",
                "4012 88888888 1881",
            ],
        ),
        found(
            "ssn",
            "Social security numbers with separators, or named",
            "PRIV-110 PRIV-111",
            "US_SSN",
            &[
                "«536-33-3955»",
                "«078 05 1123» or «078.05.1123»",
                "SSN: «536333955»",
                "my social security number is «536333955».",
            ],
        ),
        untouched(
            "ssn-other",
            "Numbers that were never given out, and others of nine digits",
            "PRIV-110 PRIV-111 PRIV-41",
            &[
                "000-12-3456",
                "666-12-3456",
                "900-12-3456",
                "123-00-4567",
                "123-45-0000",
                "123-45-6789",
                "111-11-1111",
                "1-536-33-3955",
                "536-33-3955-1",
                "id 536333955",
            ],
        ),
        found(
            "iban",
            "Account numbers of several countries, in one piece and in fours",
            "PRIV-45 PRIV-46 PRIV-47",
            "IBAN",
            &[
                "«GB29NWBK60161331926819»",
                "«DE89 3704 0044 0532 0130 00».",
                "«de89370400440532013000»",
                "«NO93-8601-1117-947»",
                "«DE89370400\n440532013000»",
                "«DE 89  3704  0044  0532  0130  00»; «DE89_3704_0044_0532_0130_00»",
                ":25:«DE89370400440532013000»EUR, ?31«GB29NWBK60161331926819»?32",
                "IBAN«GB29NWBK60161331926819»",
            ],
        ),
        untouched(
            "iban-other",
            "Wrong check digits, lengths and countries",
            "PRIV-45 PRIV-47",
            &[
                "GB29NWBK60161331926818",
                "GB29NWBK6016133192681",
                "xGB29NWBK60161331926819",
                "GB29NWBK60161331926819EURO",
                "31GB29NWBK60161331926819",
                "ZZ68304001927365",
            ],
        ),
        found(
            "ip-address",
            "Addresses of both versions, with their prefix length",
            "PRIV-50 PRIV-52 PRIV-54",
            "IP_ADDRESS",
            &[
                "«10.0.0.1», «192.168.1.0/24»",
                "http://[«2001:db8::1»]:8080/",
                "«fe80::/10» and «::ffff:192.0.2.1».",
                "host=«10.0.0.1»:8080",
            ],
        ),
        found(
            "ip-address-forms",
            "Ports as tcpdump prints them, zones, brackets around points, host names, small numbers that are named",
            "PRIV-50 PRIV-51 PRIV-52 PRIV-54",
            "IP_ADDRESS",
            &[
                "IP «198.51.100.23».53122 > «192.0.2.80».80: Flags",
                "IP6 «2001:db8::2».50122 > «2001:db8::5».53: 4+",
                "dev «fe80::1%eth0», [«fe80::1%25en0»]:80",
                "«198[.]51[.]100[.]77», «192(.)0(.)2(.)59»",
                "ip-«10-0-0-1».internal, dsl-«203-0-113-9».isp.example",
                "host «5.9.1.2», «5.9.1.2»:80, http://«5.9.1.2»/, «5.9.1.2» - - [",
                "«8.8.8.8» «1.0.0.1» «10.1.2.3»",
            ],
        ),
        untouched(
            "ip-address-other",
            "Versions, times, paths, slices and longer dotted numbers",
            "PRIV-50 PRIV-51 PRIV-52 PRIV-53",
            &[
                "1.2.3.4.5",
                "256.1.1.1",
                "1.2.3.04",
                "version 1.2.3.4",
                "Chrome/120.0.0.0",
                "12:34:56",
                "aa:bb:cc:dd:ee:ff",
                "std::cout",
                "de::ed",
                "a[::2]",
            ],
        ),
        untouched(
            "ip-address-code",
            "Requirements, packages, sections, object identifiers, paths of programs and hardware addresses",
            "PRIV-51 PRIV-52 PRIV-53",
            &[
                "x==192.168.0.1, x >= '192.168.0.2'",
                "x-2.10.3.4-1_amd64.deb, y-192.168.0.1.tar.gz, z.so.192.168.0.1",
                "## 4.1.2.7 Errors, OID 2.5.29.15, V8 to 3.24.35.22",
                "use x86_64::{a}, wasi_0_2::*, b3::a(1), u8::d1",
                "50:01:43:80:12:0a:b4:c6 00:1b:44:11:3a:b7",
                "1.2.3.4.5 1.2.3.4.300.1",
                "foo-1-2-3-4.example",
            ],
        ),
        untouched(
            "ip-address-local",
            "Loopback and unspecified addresses",
            "PRIV-51",
            &["127.0.0.53:53, bind 0.0.0.0", "http://[::1]:80", "listen ::1", "[::]:80"],
        ),
    ]
}

fn persons() -> Vec<Case> {
    let mut cases = Vec::new();
    for (id, title, label, spec, named, wrong) in [
        (
            "itin",
            "US taxpayer numbers",
            "US_ITIN",
            "PRIV-112",
            "ITIN «912-70-1234»",
            "ITIN 912-69-1234",
        ),
        (
            "aadhaar",
            "Aadhaar numbers",
            "IN_AADHAAR",
            "PRIV-113",
            "Aadhaar «2341 2341 2346»",
            "Aadhaar 2341 2341 2345",
        ),
        (
            "nhs-number",
            "NHS numbers",
            "UK_NHS",
            "PRIV-114",
            "NHS no. «9434765919»",
            "NHS no. 9434765918",
        ),
        (
            "npi",
            "US provider numbers",
            "US_NPI",
            "PRIV-115",
            "NPI: «1234567893»",
            "NPI: 1234567894",
        ),
        (
            "sin",
            "Canadian insurance numbers",
            "CA_SIN",
            "PRIV-116",
            "SIN «130-692-544»",
            "SIN 130-692-545",
        ),
        (
            "aba-routing",
            "US routing numbers",
            "ABA_ROUTING",
            "PRIV-117",
            "routing number «021000021»",
            "routing number 021000022",
        ),
        (
            "cpf",
            "Taxpayer numbers of Brazil",
            "BR_CPF",
            "PRIV-118",
            "CPF: «52998224725»",
            "CPF: 52998224726",
        ),
        (
            "cnpj",
            "Company numbers of Brazil, with letters",
            "BR_CNPJ",
            "PRIV-119 PRIV-132",
            "CNPJ «12.ABC.345/01DE-35»",
            "CNPJ 12.ABC.345/01DE-36",
        ),
        (
            "nino",
            "British insurance numbers",
            "UK_NINO",
            "PRIV-120 PRIV-132",
            "NI number: «AB 12 34 56 C»",
            "NI number: BG 12 34 56 C",
        ),
        (
            "dni",
            "Identity numbers of Spain",
            "ES_DNI",
            "PRIV-122 PRIV-132",
            "D.N.I.: «12.345.678-Z»",
            "D.N.I.: 12.345.678-A",
        ),
        (
            "nie",
            "Numbers of foreigners in Spain",
            "ES_NIE",
            "PRIV-123 PRIV-132",
            "NIE «X-1234567-L»",
            "NIE X-1234567-T",
        ),
        (
            "pesel",
            "Personal numbers of Poland",
            "PL_PESEL",
            "PRIV-124",
            "nr PESEL «44051401359»",
            "nr PESEL 44051401358",
        ),
        (
            "bsn",
            "Citizen numbers of the Netherlands",
            "NL_BSN",
            "PRIV-125",
            "BSN-nummer: «1112.22.333»",
            "BSN-nummer: 1112.22.334",
        ),
        (
            "steuer-id",
            "Tax numbers of Germany",
            "DE_STEUER_ID",
            "PRIV-126",
            "Steuer-ID: «86095742719»",
            "Steuer-ID: 86095742718",
        ),
        (
            "personnummer",
            "Personal numbers of Sweden",
            "SE_PERSONNUMMER",
            "PRIV-127",
            "personnummer «811228-9874»",
            "personnummer 811328-9873",
        ),
        (
            "india-pan",
            "Taxpayer numbers of India",
            "IN_PAN",
            "PRIV-128 PRIV-132",
            "PAN: «ABCPE1234F»",
            "PAN: ABCDE1234F",
        ),
        (
            "nir",
            "Insurance numbers of France",
            "FR_NIR",
            "PRIV-129 PRIV-132",
            "sécurité sociale : «2 55 08 2A 168 025 97»",
            "sécurité sociale : 2 55 08 2A 168 025 98",
        ),
        (
            "ahv",
            "Insurance numbers of Switzerland",
            "CH_AHV",
            "PRIV-130",
            "AHV-Nr. «7569217076985»",
            "AHV-Nr. 7569217076984",
        ),
        (
            "hetu",
            "Identity codes of Finland",
            "FI_HETU",
            "PRIV-131 PRIV-132",
            "henkilötunnus «131052-308T»",
            "henkilötunnus 131052-308U",
        ),
    ] {
        let rules = format!("PRIV-110 PRIV-111 {spec}");
        cases.push(found(id, &format!("{title} where they are named"), &rules, label, &[named]));
        let alone = named.split_once('«').map_or("", |(_, rest)| rest).replace('»', "");
        cases.push(untouched(
            &format!("{id}-other"),
            &format!("{title} with a wrong check, unnamed, or in a word"),
            &rules,
            &[wrong, &alone, &format!("x{alone}")],
        ));
    }
    cases.extend([
        found(
            "codice-fiscale",
            "Tax codes of Italy, which prove themselves",
            "PRIV-121 PRIV-132",
            "IT_CODICE_FISCALE",
            &[
                "«RSSMRA85M01H501Q»",
                "C.F. «rss mra 85m01 h501q» a Roma",
                "Codice fiscale «RSSMRA85M01H50MI»",
            ],
        ),
        untouched(
            "codice-fiscale-other",
            "Codes with a wrong letter or date, or in a word",
            "PRIV-121",
            &["RSSMRA85M01H501R", "RSSMRA85M00H501R", "xRSSMRA85M01H501Q", "RSSMRA85M01H501Q1"],
        ),
        found(
            "cpf-marked",
            "Numbers of Brazil with their marks",
            "PRIV-110 PRIV-118",
            "BR_CPF",
            &["«529.982.247-25»."],
        ),
        found(
            "cnpj-marked",
            "Company numbers of Brazil with their marks",
            "PRIV-110 PRIV-119",
            "BR_CNPJ",
            &["«11.222.333/0001-81»."],
        ),
        found(
            "ahv-marked",
            "Numbers of Switzerland with their marks",
            "PRIV-110 PRIV-130",
            "CH_AHV",
            &["«756.9217.0769.85»."],
        ),
        found(
            "nir-marked",
            "Numbers of France with their spaces",
            "PRIV-110 PRIV-129",
            "FR_NIR",
            &["«2 55 08 14 168 025 38»."],
        ),
        untouched(
            "marked-other",
            "Other marks, wrong check digits, and parts of longer numbers",
            "PRIV-110 PRIV-111",
            &[
                "529-982-247-25",
                "529.982.247-26",
                "529.982.247-25-1",
                "11.222.333/0001-82",
                "756.9217.0769.84",
                "1.756.9217.0769.85",
            ],
        ),
        found(
            "ssn-printed",
            "The numbers that everybody tries, where they are named",
            "PRIV-41",
            "US_SSN",
            &["SSN «123-45-6789»", "social security number: «078051120»"],
        ),
        found(
            "card-stripe",
            "The tracks of a magnetic stripe",
            "PRIV-133",
            "CREDIT_CARD",
            &["%B«4012888888881881^DOE/JO ^2806226»?", ";«4012888888881881=2806226»?"],
        ),
        untouched(
            "card-stripe-other",
            "Tracks of no card",
            "PRIV-133",
            &["%B4012888888881882^DOE/JO ^2806226?", "%B4012888888881881^DOE"],
        ),
        found(
            "card-wide",
            "Cards in wide gaps where a word names them",
            "PRIV-132",
            "CREDIT_CARD",
            &["card «4012  8888  8888  1881»", "cc_«4012_8888_8888_1881»"],
        ),
        untouched(
            "card-wide-other",
            "Columns, and wide gaps in a longer number",
            "PRIV-132",
            &["4012  8888  8888  1881", "card 4012_8888_8888_18812"],
        ),
        found(
            "date-of-birth",
            "Dates that are named as days of birth",
            "PRIV-55 PRIV-56 PRIV-57",
            "DATE_OF_BIRTH",
            &[
                "born on «12 March 1985»",
                "DOB: «12/31/1990»",
                "{\"birthDate\":\"«1985-03-12»\"}",
                "geboren am «3. März 1985»",
                "nacido el «31 de diciembre de 1990»",
                "\"dob\": \"«19850312»",
                "D.O.B. «12-MAR-85»",
            ],
        ),
        untouched(
            "date-of-birth-other",
            "Other dates, and days that do not exist",
            "PRIV-55 PRIV-56 PRIV-57",
            &[
                "created 1985-03-12",
                "born 1985-13-12",
                "born 30.02.1985",
                "born in 1985",
                "12 March 1985",
            ],
        ),
        found(
            "passport",
            "Passport numbers where they are named",
            "PRIV-58",
            "PASSPORT",
            &[
                "passport number: «C01X00T47»",
                "Reisepass-Nr. «C01X00T47»",
                "\"passportNo\":\"«123456789»\"",
            ],
        ),
        untouched(
            "passport-other",
            "The same unnamed, and words about passports",
            "PRIV-58",
            &["C01X00T47", "passport photo 35 x 45", "license key C01X00T47"],
        ),
        found(
            "drivers-license",
            "Driving license numbers where they are named",
            "PRIV-59",
            "DRIVERS_LICENSE",
            &[
                "driver's license: «D1234567»",
                "driving licence «MORGA657054SM9IJ»",
                "permis de conduire «12AB34567»",
            ],
        ),
        untouched(
            "drivers-license-other",
            "Licenses and drivers of other kinds",
            "PRIV-59 PRIV-21",
            &["license D1234567", "driver version 535.129.03", "fishing permit 1234567"],
        ),
    ]);
    cases
}

fn contacts() -> Vec<Case> {
    vec![
        found(
            "email",
            "Addresses, with the text around them unmodified",
            "PRIV-35 PRIV-36 PRIV-37",
            "EMAIL",
            &[
                "<«ann@b.example»>",
                "mailto:«first.last+tag@sub.example.museum»?x=1",
                "(«ann@b.example»).",
                "请联系«ann@b.example»谢谢",
                "«user@xn--80ak6aa92e.com»",
            ],
        ),
        untouched(
            "email-other",
            "At signs that are not part of an address",
            "PRIV-35 PRIV-37 PRIV-38",
            &[
                "a@b",
                "@b.example",
                "a@b.12",
                "icon@2x.png",
                "serde@1.0.219-beta.next",
                "@types/node",
                "a @b.example",
            ],
        ),
        found(
            "email-forms",
            "Quoted and bracketed parts, comments, lists, other scripts, and literal domains",
            "PRIV-35 PRIV-36 PRIV-37",
            "EMAIL",
            &[
                "to «\"ann lee\"@b.example»",
                "«ann(night)@b.example», «{ann,bob}@b.example»",
                "收：«張偉@b.example»",
                "«ann@[192.0.2.1]», «ann@[IPv6:2001:db8::1]»",
                "«ann@mail_1.b.example»",
            ],
        ),
        untouched(
            "email-code",
            "Copied files, accounts in URLs, units, files and names in code",
            "PRIV-38",
            &[
                "git@b.example:team/x.git",
                "ssh://ann@b.example/x",
                "ann@b.example:/srv/x",
                "getty@tty1.service, user@1000.SLICE",
                "bg@dark.png x@next.tgz",
                "return@loop.next",
                "x@outer.run()",
            ],
        ),
        found(
            "phone-international",
            "International numbers",
            "PRIV-60 PRIV-61 PRIV-67 PRIV-69",
            "PHONE",
            &[
                "«+14155550132»",
                "«+44 (0)20 7123 4567»",
                "tel:«+1-415-555-0132»",
                "«+49 30 1234567», «0044 20 7123 4567», «011 44 20 7123 4567»",
            ],
        ),
        found(
            "phone-national",
            "National numbers in forms that nothing else has",
            "PRIV-62 PRIV-63 PRIV-64 PRIV-68",
            "PHONE",
            &[
                "«(021) 0025-967»",
                "«415-555-0132», «415.555.0132», «415/555-0132»",
                "«01.84.17.61.18»; «0341/8387176»",
                "«978-645-9740x11144»",
            ],
        ),
        found(
            "phone-named",
            "Numbers that words before or after them name",
            "PRIV-65 PRIV-66 PRIV-25",
            "PHONE",
            &[
                "phone: «668 5702»",
                "Fax «9498777106»",
                "please call «92 34 70»",
                "«781 1704» office",
                "\"contact_no\": \"«9876543210»",
            ],
        ),
        found(
            "phone-forms",
            "Numbers in rows of values, paths and lists, with wide dashes and as registries write them",
            "PRIV-60 PRIV-62 PRIV-63 PRIV-64 PRIV-67 PRIV-68",
            "PHONE",
            &[
                "7,«415-555-0132»,2026;«(415) 555-0132»,1",
                "/users/«+14155550132»/calls",
                "«415-555-0132»/«415-555-0133», «030 901820»/«030 901821»",
                "«+1 - 415 - 555 - 0132», «(415) 555 - 0132», «0221 / 47 10 - 555»",
                "«+44 20 7946 0765» / «90000 41239»",
                "«+1.4155550132», «+49.30901820»",
                "«030 901820-0»",
                "«415-555-0132;ext=77», «415-555-0132 (extension #77)»",
                "tel _«4155550132»_, tel «4155550132»/41, https://wa.me/«4155550132»",
            ],
        ),
        untouched(
            "phone-counts",
            "Counts, sizes, status lines, dumps of bytes, postal codes and years",
            "PRIV-61 PRIV-63 PRIV-64 PRIV-65 PRIV-66",
            &[
                "GET /x 200 345 6789",
                "  245 917 6632 notes.txt",
                "[[312 640 1280]]",
                "0040 0041 0042 0043",
                "01 02 03 04 05 06 07",
                "Erie, PA 02111-1307, tel",
                "mobile 2017-2022",
                "calls: 123456789 total",
                "called 1048576123 times",
                "tel 12345678 bytes",
                "cell 84213377",
                "093/815/08152",
            ],
        ),
        untouched(
            "phone-other",
            "Dates, identifiers, versions, amounts, coordinates and rows",
            "PRIV-60 PRIV-62 PRIV-63 PRIV-64 PRIV-65 PRIV-66 PRIV-67",
            &[
                "699 956 915",
                "2024-01-15 12:30:45",
                "15.01.2024",
                "550e8400-e29b-41d4-a716-446655440000",
                "978-3-16-148410-0",
                "hosted-eu-20260812-09",
                "$1 234 567",
                "0.250750683890174",
                "-122.41941550000001",
                "order-123-456-7890",
                "+99912345678",
                "(12) 2019-2020",
                "10 20 30 40 50 60 70",
                "tracking 9400 1000 0000 0000 0000 00",
            ],
        ),
    ]
}

fn folding() -> Vec<Case> {
    let why = "A value is one in any characters that a person reads as the same value.";
    let cards = [
        (
            "zero-width",
            "Zero-width characters between the digits",
            "4012\u{200B}8888\u{2060}8888\u{AD}1881",
            "PRIV-10 PRIV-11",
        ),
        (
            "fillers",
            "Hangul fillers, which are invisible, between the digits",
            "4012\u{3164}8888\u{FFA0}8888\u{115F}1881 4012\u{1160}888888881881",
            "PRIV-11",
        ),
        ("full-width", "Full-width digits", "４０１２８８８８８８８８１８８１", "PRIV-12"),
        ("arabic", "Arabic digits", "٤٠١٢٨٨٨٨٨٨٨٨١٨٨١", "PRIV-12"),
        (
            "dashes",
            "En dashes and no-break spaces",
            "4012–8888–8888–1881 4012\u{A0}8888\u{A0}8888\u{A0}1881",
            "PRIV-12",
        ),
        (
            "backslash",
            "Escapes with backslashes, also doubled",
            "\\n4012888888881881\\\\n4012\\u003888888881881",
            "PRIV-14",
        ),
        ("percent", "Escapes with percent signs", "4012%208888%208888%201881", "PRIV-15"),
    ];
    let mut cases = Vec::new();
    for (id, title, text, spec) in cards {
        let filtered = match id {
            "dashes" | "fillers" => "[CREDIT_CARD] [CREDIT_CARD]",
            "backslash" => "\\n[CREDIT_CARD]\\\\n[CREDIT_CARD]",
            _ => "[CREDIT_CARD]",
        };
        cases.push(case(&format!("fold-{id}"), title, why, spec, json!(text), json!(filtered)));
    }
    cases.push(case(
        "fold-lookalikes",
        "Letters of other scripts that look like Latin ones, and accents",
        why,
        "PRIV-13",
        json!(["аnn@еxаmple.cоm", "jörg@müller.example", "teléfono 668 5702"]),
        json!(["[EMAIL]", "[EMAIL]", "teléfono [PHONE]"]),
    ));
    cases.push(found(
        "fold-phone-words",
        "Telephone words of other scripts",
        "PRIV-13 PRIV-16",
        "PHONE",
        &[
            "Телефон: «84955550123»",
            "הטלפון «0501234567»",
            "手机号码«13000001234»已验证",
            "โทร «0812345678»",
            "Số điện thoại: «0900001234»",
        ],
    ));
    cases.push(untouched(
        "fold-phone-words-other",
        "Other words that begin or end like them",
        "PRIV-16",
        &["телевизор 84955550123", "отел 84955550123", "手 13000001234", "номер 84955550123"],
    ));
    cases
}

fn hints() -> Vec<Case> {
    vec![
        case(
            "hint-keys",
            "Keys in several notations hint at the values below them",
            "A bare number is personal data if its key states it.",
            "PRIV-20 PRIV-21",
            json!({ "userPhone": { "home": "6685702" }, "SSN_PLAIN": ["536333955"], "contactNo": "9876543210", "phone_verified_at": "1705322096", "iPhone": "6685702", "id": "536333955" }),
            json!({ "userPhone": { "home": "[PHONE]" }, "SSN_PLAIN": ["[US_SSN]"], "contactNo": "[PHONE]", "phone_verified_at": "1705322096", "iPhone": "6685702", "id": "536333955" }),
        ),
        case(
            "hint-reach",
            "A word hints as far as 32 characters, and not into another field",
            "What is said far away, or of another field, is not said of this value.",
            "PRIV-22 PRIV-23 PRIV-24",
            json!([
                "passport of the holder: C01X00T47",
                "passport of the person who holds it: C01X00T47",
                "\"phone\":\"\",\"id\":123456789",
                "[PHONE] 92 34 70",
                "my phone number is 6685702",
                "my phone was new then 6685702",
            ]),
            json!([
                "passport of the holder: [PASSPORT]",
                "passport of the person who holds it: C01X00T47",
                "\"phone\":\"\",\"id\":123456789",
                "[PHONE] 92 34 70",
                "my phone number is [PHONE]",
                "my phone was new then 6685702",
            ]),
        ),
        case(
            "hint-counts",
            "Keys that count or identify something else, and what is below them",
            "A number of calls is no number to call.",
            "PRIV-20 PRIV-21",
            json!({ "phone_sessions": 23456789, "sms_sent_total": "9840050123", "mobile_bytes_per_day": 98400501, "phone": { "count": 23456789, "id": "9840050123", "home": 23456789 }, "passport_id": "C01X00T47", "WhatsApp": "9840050123" }),
            json!({ "phone_sessions": 23456789, "sms_sent_total": "9840050123", "mobile_bytes_per_day": 98400501, "phone": { "count": 23456789, "id": "9840050123", "home": "[PHONE]" }, "passport_id": "[PASSPORT]", "WhatsApp": "[PHONE]" }),
        ),
        found(
            "hint-markup",
            "Labels in Markdown, tables, HTML, brackets and behind blanks",
            "PRIV-24",
            "PHONE",
            &[
                "**Mobile:** «9840050123», - `tel` : «9840050124»",
                "| Phone | «9840050123» |",
                "<b>Fax</b><td class=\"n\">«9840050123»</td>",
                "<phone>«9840050123»</phone>",
                "Phone (work): «9840050123» fax: [«9840050124»]",
                "Tel . . . . . . . . . . :             «9840050123»",
                "phone\r\n\r\n«9840050123»",
                "Phone → «9840050123»",
            ],
        ),
        untouched(
            "hint-markup-other",
            "Labels that other words, fields and tags part from the number",
            "PRIV-22 PRIV-24",
            &[
                "<phone></phone><x>9840050123</x>",
                "phone, 9840050123",
                "phone (work) and rank 9840050123",
                "phone {9840050123}",
                "[PHONE] 9840050123",
            ],
        ),
        found(
            "hint-lists",
            "The label of a list names its values",
            "PRIV-27",
            "PHONE",
            &[
                "phones: «9840050123», «9840050124» and «9840050125»",
                "phones:\n  - «9840050123»\n  - «9840050124»",
                "{'phones': ['«9840050123»', '«9840050124»']}",
                "phone «9840050123»; «9840050124»",
            ],
        ),
        untouched(
            "hint-lists-other",
            "Numbers after a list, or unlike its first",
            "PRIV-27",
            &[
                "phone [PHONE], rows 9840050123",
                "phone 12, 9840050123",
                "phones 1, 2, 3, 9840050123",
            ],
        ),
        found(
            "hint-columns",
            "The head of a column names the values below it",
            "PRIV-28",
            "PHONE",
            &[
                "id,mobile,n\n1,«9840050123»,5\n2,«9840050124»,6",
                "id\ttel\n9840050120\t«9840050123»\n",
                "id;\"a;b\";fax\n9840050120;\"x;y\";«9840050123»",
                "| id | Phone |\n|----|-------|\n| 9840050120 | «9840050123» |",
                "ID          PHONE       CITY\n9840050120  «9840050123»  Erie",
            ],
        ),
        untouched(
            "hint-columns-other",
            "Columns of other names, rows of other tables, and sentences with commas",
            "PRIV-28",
            &[
                "mobile,id\nx,9840050123",
                "id,mobile visits\n1,9840050123",
                "id,mobile\n9840050123,1\n",
                "a phone, so to say,\n1 2,9840050123,3",
                "x{phone},y\n9840050123,1",
            ],
        ),
        case(
            "hint-line-break",
            "Values that a line break goes through, by name or by form",
            "Programs wrap text without reading it.",
            "PRIV-26",
            json!([
                "at 106.31\n.73.20",
                "SSN 460-8\n9-9847",
                "460-8\n9-9847",
                "call 905-67\n4-3793",
                "+1-984-\n182-0190",
                "Phone: 0490 7\n5 40 81",
                "781 \n1704 office",
                "1.2\n3.4.5",
                "01-02-24\n03-04-24",
                "12345678\n12345678"
            ]),
            json!([
                "at [IP_ADDRESS]",
                "SSN [US_SSN]",
                "[US_SSN]",
                "call [PHONE]",
                "[PHONE]",
                "Phone: [PHONE]",
                "[PHONE] office",
                "1.2\n3.4.5",
                "01-02-24\n03-04-24",
                "12345678\n12345678"
            ]),
        ),
    ]
}

fn walk() -> Vec<Case> {
    vec![
        case(
            "walk-everywhere",
            "Strings, keys and JSON inside strings",
            "One copy that is left is a leak.",
            "PRIV-70 PRIV-72",
            json!({ "ann@b.example": { "list": ["x", "eve@b.example"] }, "text": "{\"to\": \"ann@b.example\",  \"n\": 1.50, \"phone\": 6685702}", "deep": "[\"{\\\"to\\\":\\\"ann@b.example\\\"}\"]" }),
            json!({ "[EMAIL]": { "list": ["x", "[EMAIL]"] }, "text": "{\"to\": \"[EMAIL]\",  \"n\": 1.50, \"phone\": \"[PHONE]\"}", "deep": "[\"{\\\"to\\\":\\\"[EMAIL]\\\"}\"]" }),
        ),
        case(
            "walk-mixed",
            "Lines of JSON, and JSON behind a prefix, in a fence, cut off, and in a string",
            "Tools print JSON between other text, and what reads it needs it whole.",
            "PRIV-74",
            json!([
                "{\"tel\": 9840050123}\n{\"tel\": [9840050124, 1]}\r\n",
                "INFO body=[{\"ssn\":536333955},{\"n\":536333955}] ok",
                "event: row\ndata: {\"phones\": {\"home\": \"9840050123\"}}\n\ndata: [DONE]",
                "```json\n{\n  \"tel\": 9840050123\n}\n```",
                "[{\"tel\":9840050123},{\"tel\":98400501",
                "msg=\"{\\\"tel\\\":9840050123}\" to ann@b.example"
            ]),
            json!([
                "{\"tel\": \"[PHONE]\"}\n{\"tel\": [\"[PHONE]\", 1]}\r\n",
                "INFO body=[{\"ssn\":\"[US_SSN]\"},{\"n\":536333955}] ok",
                "event: row\ndata: {\"phones\": {\"home\": \"[PHONE]\"}}\n\ndata: [DONE]",
                "```json\n{\n  \"tel\": \"[PHONE]\"\n}\n```",
                "[{\"tel\":\"[PHONE]\"},{\"tel\":[PHONE]",
                "msg=\"{\\\"tel\\\":\\\"[PHONE]\\\"}\" to [EMAIL]"
            ]),
        ),
        untouched(
            "walk-mixed-other",
            "Braces and quotes that hold no JSON stay as they are",
            "PRIV-74",
            &["{ \"a\" }", "{\"a\": {\"b\": [1, ]}}", "f(\"{x}\") { \"y\": }", "\"{\\\"a\\\": \" {\"n\": 5.0e1}"],
        ),
        case(
            "walk-numbers",
            "Numbers that are values as a whole, and others",
            "Identifiers and times are numbers too.",
            "PRIV-71",
            json!({ "card": 4012888888881881_u64, "at_ms": 1748503543012_u64, "ssn": 536333955, "n": 536333955, "phone": 6685702, "routing_number": 21000021, "cpf": 4176298006_u64, "f": 4012888888881881.5, "g": 4012888888881881.0 }),
            json!({ "card": "[CREDIT_CARD]", "at_ms": 1748503543012_u64, "ssn": "[US_SSN]", "n": 536333955, "phone": "[PHONE]", "routing_number": "[ABA_ROUTING]", "cpf": "[BR_CPF]", "f": 4012888888881881.5, "g": "[CREDIT_CARD]" }),
        ),
        case(
            "walk-equal-keys",
            "Keys that redaction makes equal",
            "Both values are part of the answer.",
            "PRIV-73",
            json!("{\"a@b.example\":1,\"b@b.example\":2,\"[EMAIL]\":3}"),
            json!("{\"[EMAIL]\":1,\"[EMAIL]#2\":2,\"[EMAIL]#3\":3}"),
        ),
        case(
            "walk-overlap",
            "Findings that overlap",
            "Together they cover everything, under the name of the longest.",
            "PRIV-75 PRIV-76",
            json!(["4155550132@mail.example", "2001:db8::10.0.0.1"]),
            json!(["[EMAIL]", "[IP_ADDRESS]"]),
        ),
        case(
            "walk-again",
            "An answer that was filtered before",
            "Filtering what was filtered changes nothing.",
            "PRIV-81",
            json!(["phone [PHONE] 85 office", "[EMAIL:1]", "card [CREDIT_CARD:1881]", "[EMAIL:BKDGHAAOPNMLCDEF]"]),
            json!(["phone [PHONE] 85 office", "[EMAIL:1]", "card [CREDIT_CARD:1881]", "[EMAIL:BKDGHAAOPNMLCDEF]"]),
        ),
        case(
            "walk-after",
            "Values that are seen once their neighbors are replaced",
            "What is left of a text is a new text.",
            "PRIV-81",
            json!(["ann@b.example-192.0.2.7 end", "415-555-0132-192.0.2.7/."]),
            json!(["[EMAIL]-[IP_ADDRESS] end", "[PHONE]-[IP_ADDRESS]/."]),
        ),
        Case::filter("filter/walk-account", json!({ "x~/y": { "+14155550132": "bob@b.example" }, "n": ["a@b.example", "b@b.example a@b.example"] }))
            .says("The redaction report, without a value", "A reader of the log need not be allowed to read the response.")
            .spec("PRIV-83")
            .answers(json!({
                "value": { "x~/y": { "[PHONE]": "[EMAIL]" }, "n": ["[EMAIL]", "[EMAIL] [EMAIL]"] },
                "applied": {
                    "email": { "count": 4, "at": ["/n/0", "/n/1", "/x~0~1y/[PHONE]"] },
                    "phone": { "count": 1, "at": ["/x~0~1y"] },
                },
            })),
    ]
}

fn replacement() -> Vec<Case> {
    let given = json!(["4012 8888 8888 1881", "Ann@b.example bob@b.example", { "n": 4012888888881881_u64, "to": "ann@b.example" }]);
    let by = |name: &str, title: &str, spec: &str, filtered: Value| {
        Case::filter(&format!("filter/replace-{name}"), given.clone())
            .with("replacement", name)
            .says(title, "The host decides how far values stay distinguishable.")
            .spec(spec)
            .answers(json!({ "value": filtered }))
    };
    vec![
        by("label", "Labels", "PRIV-76", json!(["[CREDIT_CARD]", "[EMAIL] [EMAIL]", { "n": "[CREDIT_CARD]", "to": "[EMAIL]" }])),
        by(
            "numbered",
            "Numbers: the same for the same value in every copy",
            "PRIV-76 PRIV-77 PRIV-78",
            json!(["[CREDIT_CARD:1]", "[EMAIL:1] [EMAIL:2]", { "n": "[CREDIT_CARD:1]", "to": "[EMAIL:1]" }]),
        ),
        by(
            "last-four",
            "The last four digits of cards",
            "PRIV-76",
            json!(["[CREDIT_CARD:1881]", "[EMAIL] [EMAIL]", { "n": "[CREDIT_CARD:1881]", "to": "[EMAIL]" }]),
        ),
        // From the rule, by another program.
        by(
            "pseudonym",
            "Pseudonyms under a key of 32 bytes 7",
            "PRIV-77 PRIV-78",
            json!(["[CREDIT_CARD:DDKGDPELEIMICDCE]", "[EMAIL:LGDJPOLBMBOAFFDE] [EMAIL:OADFFNACAOBJNFOP]", { "n": "[CREDIT_CARD:DDKGDPELEIMICDCE]", "to": "[EMAIL:LGDJPOLBMBOAFFDE]" }]),
        )
        .with("key", "07".repeat(32)),
    ]
}

/// What a host keeps, and much that looks like it.
fn kept() -> Vec<Case> {
    let with = |id: &str, title: &str, spec: &str, policy: Value, given: Value, answer: Value| {
        Case::filter(&format!("filter/{id}"), given)
            .with("policy", policy)
            .says(title, "The host knows its own values; nothing else may slip through with them.")
            .spec(spec)
            .answers(answer)
    };
    let keep = |members: Value| json!({ "keep": members });
    let texts = |all: &[&str]| json!(all);
    vec![
        with(
            "keep-value",
            "Values that the host lists, in forms that compare equal",
            "PRIV-85 PRIV-83",
            keep(json!({ "values": ["+1 415 555 0132", "Help@b.example", "4012888888881881"] })),
            json!(["call +1 (415) 555-0132, help@B.example", { "n": 4012888888881881_u64 }, "bob@b.example"]),
            json!({
                "value": ["call +1 (415) 555-0132, help@B.example", { "n": 4012888888881881_u64 }, "[EMAIL]"],
                "applied": {
                    "email": { "count": 1, "at": ["/2"] },
                    "kept": { "credit-card": 1, "email": 1, "phone": 1 },
                },
            }),
        ),
        with(
            "keep-value-other",
            "Values that hold a listed one, or a part of it",
            "PRIV-85 PRIV-86",
            keep(json!({ "values": ["+1 415 555 0132", "help@b.example", "10.0.0.1"] })),
            texts(&[
                "+1 415 555 0133 +1 415 555 0132 x7",
                "help@b.example.org xhelp@b.example help@bb.example",
                "10.0.0.11 110.0.0.1 10.0.0.1/8",
            ]),
            json!({ "value": [
                "[PHONE] [PHONE]", "[EMAIL] [EMAIL] [EMAIL]", "[IP_ADDRESS] [IP_ADDRESS] [IP_ADDRESS]",
            ] }),
        ),
        with(
            "keep-network",
            "Addresses in a network, loopback and unspecified ones",
            "PRIV-85",
            keep(json!({ "networks": ["10.0.0.0/8", "fd00::/8"], "loopback": true })),
            texts(&["10.1.2.3, 10.2.0.0/16 fd00::1", "127.0.0.1:80 0.0.0.0 [::1]:80"]),
            json!({ "value": ["10.1.2.3, 10.2.0.0/16 fd00::1", "127.0.0.1:80 0.0.0.0 [::1]:80"] }),
        ),
        with(
            "keep-network-other",
            "Addresses outside, larger networks, and longer numbers",
            "PRIV-85",
            keep(json!({ "networks": ["10.0.0.0/8", "fd00::/8"], "loopback": true })),
            texts(&[
                "110.1.2.3 11.0.0.100 10.0.0.0/7",
                "::ffff:10.0.0.1 fe80::1",
                "128.0.0.1 fe80::2 0.0.0.100",
            ]),
            json!({ "value": [
                "[IP_ADDRESS] [IP_ADDRESS] [IP_ADDRESS]", "[IP_ADDRESS] [IP_ADDRESS]",
                "[IP_ADDRESS] [IP_ADDRESS] [IP_ADDRESS]",
            ] }),
        ),
        with(
            "keep-mail-domain",
            "Addresses of a domain",
            "PRIV-85",
            keep(json!({ "mail_domains": ["example.com"] })),
            texts(&["ann@example.com, <Bob@EXAMPLE.com>", "mailto:eve@example.com"]),
            json!({ "value": ["ann@example.com, <Bob@EXAMPLE.com>", "mailto:eve@example.com"] }),
        ),
        with(
            "keep-mail-domain-other",
            "Domains that begin or end like it, and a password before a host",
            "PRIV-85",
            keep(json!({ "mail_domains": ["example.com"] })),
            texts(&["x@example.com.evil.org x@sub.example.com x@evil-example.com x@example.co"]),
            json!({ "value": ["[EMAIL] [EMAIL] [EMAIL] [EMAIL]"] }),
        ),
        with(
            "keep-overlap",
            "A kept address that holds another value",
            "PRIV-86",
            keep(json!({ "mail_domains": ["example.com"] })),
            texts(&[
                "4012888888881881@example.com",
                "ghp_16C7e42F292c6912E7710c838347Ae178B4a@example.com",
            ]),
            json!({ "value": ["[EMAIL]", "[EMAIL]"] }),
        ),
        with(
            "except",
            "A kind that the host excepts for the package, though both ask for it",
            "PRIV-87",
            json!({ "patterns": ["phone"], "except": [{ "kinds": ["phone"], "packages": ["org.example"] }] }),
            json!("ann@b.example +14155550132"),
            json!({ "value": "[EMAIL] +14155550132" }),
        ),
        with(
            "except-other",
            "Kinds that the host excepts for other packages",
            "PRIV-87",
            json!({ "except": [{ "kinds": ["email", "phone"], "packages": ["org.example.tools", "org.exam"] }] }),
            json!("ann@b.example +14155550132"),
            json!({ "value": "[EMAIL] [PHONE]" }),
        ),
    ]
}

fn settings() -> Vec<Case> {
    let mut cases = vec![
        Case::filter("filter/kinds-off", json!("ann@b.example +14155550132 EMP-123456"))
            .with("patterns", json!(["phone", "phone"]))
            .says("Kinds that were not requested, and one requested twice", "Lists of tool and host are joined.")
            .spec("PRIV-03")
            .answers(json!({ "value": "ann@b.example [PHONE] EMP-123456" })),
        Case::filter("filter/custom", json!("EMP-123456 ann@b.example emp-1 ＥＭＰ-123456"))
            .with("patterns", json!(["email"]))
            .with("custom", json!([{ "name": "EMPLOYEE_ID", "pattern": "EMP-[0-9]{6}" }, { "name": "WORD", "pattern": "[A-Z]{3,}" }]))
            .says("Custom patterns, which leave labels alone and see the text unfolded", "Hosts and tools know values of their own.")
            .spec("PRIV-90 PRIV-94 PRIV-95")
            .needs("patterns")
            .answers(json!({ "value": "[EMPLOYEE_ID] [EMAIL] emp-1 ＥＭＰ-123456" })),
    ];
    cases.extend(searches());
    for (id, title, name) in [
        ("unknown", "A kind that does not exist", "names"),
        ("case", "A kind in another case", "Email"),
    ] {
        cases.push(
            Case::filter(&format!("filter/kind-{id}"), json!("x"))
                .with("patterns", json!([name]))
                .says(title, "A filter that is not there must not be believed in.")
                .spec("PRIV-02")
                .refused("privacy.pattern"),
        );
    }
    let one = |name: &str, pattern: &str| json!([{ "name": name, "pattern": pattern }]);
    for (id, title, spec, custom) in [
        ("name", "A custom pattern with a small letter in its name", "PRIV-90", one("Id", "x")),
        (
            "name-long",
            "A custom pattern with a name of 33 letters",
            "PRIV-90",
            one(&"A".repeat(33), "x"),
        ),
        (
            "many",
            "Sixty-five custom patterns",
            "PRIV-91 LIM-65",
            Value::Array(vec![one("A", "x")[0].clone(); 65]),
        ),
        ("long", "A custom pattern of 257 bytes", "PRIV-91 LIM-15", one("A", &"x".repeat(257))),
        ("nullable", "A repetition of what can be empty", "PAT-01", one("A", "ID(?:|[0-9])*")),
        ("syntax", "A custom pattern that does not compile", "PRIV-92", one("A", "(")),
        ("lookahead", "A custom pattern that looks ahead", "PRIV-92", one("A", "a(?=b)")),
        (
            "large",
            "A custom pattern that becomes too large",
            "PRIV-92 PAT-04 LIM-145",
            one("A", "[a-z]{500}[a-z]{500}"),
        ),
        ("empty", "A custom pattern that matches the empty text", "PRIV-93", one("A", "a*")),
        ("states", "A custom pattern of 1,025 states", "PAT-04 LIM-145", one("A", "a{511}")),
        ("deep", "Eleven groups in each other", "PAT-03 LIM-147", {
            one("A", &format!("{}a{}", "(".repeat(11), ")".repeat(11)))
        }),
        ("flag", "The flag x, which changes how a pattern is read", "PAT-02", one("A", "(?x)a b")),
        ("hexadecimal", "A character by its number", "PAT-01", one("A", r"\x41")),
        ("class-of-posix", "A class of POSIX", "PAT-01", one("A", "[[:alpha:]]")),
    ] {
        cases.push(
            Case::filter(&format!("filter/custom-{id}"), json!("x"))
                .with("custom", custom)
                .says(title, "What cannot work is refused before anything runs.")
                .spec(spec)
                .refused("privacy.pattern"),
        );
    }
    cases
}

/// What custom patterns find, and where looking for it is given up.
fn searches() -> Vec<Case> {
    let case = |id: &str, pattern: &str, text: String| {
        Case::filter(&format!("filter/search-{id}"), json!(text))
            .with("custom", json!([{ "name": "A", "pattern": pattern }]))
            .needs("patterns")
    };
    let finds =
        "A pattern is searched in windows of the text, and finds what it would find in the whole.";
    let mut cases = vec![
        case("states", "a{510}", "b".to_owned() + &"a".repeat(510))
            .says("A custom pattern of 1,024 states", finds)
            .spec("PAT-04")
            .answers(json!({ "value": "b[A]" })),
        case("deep", &format!("{}a{}", "(".repeat(10), ")".repeat(10)), "ab".to_owned())
            .says("Ten groups in each other", finds)
            .spec("PAT-03")
            .answers(json!({ "value": "[A]b" })),
    ];
    for (id, title, pattern, text, filtered) in [
        (
            "far",
            "A match that ends far after where it could",
            "[0-9].*Y|[0-9]",
            "1 2 x Y z\n3 4",
            "[A] z\n[A] [A]",
        ),
        (
            "longest",
            "A match that goes on beyond the first end",
            "NR-[0-9]+(?:-[A-Z-]*Q)?",
            "NR-1-AB-Q NR-22-AB",
            "[A] [A]-AB",
        ),
        ("first", "The first alternative that fits, not the longest", "ab|abcd", "abcd", "[A]cd"),
        ("lazy", "A lazy repetition", "<.+?>", "<a><b> >", "[A][A] >"),
        (
            "boundaries",
            "Words and their edges",
            r"\b\d{3}\b",
            "123 1234 a123 \u{e9}123 -123",
            "[A] 1234 a123 \u{e9}[A] -[A]",
        ),
        ("flags", "Flags for a part", "(?i:key)=(?s:.)x", "KEY=\nx key=xx KeY=y", "[A] [A] KeY=y"),
        (
            "groups",
            "Groups with names",
            "(?<year>[0-9]{4})-(?P<month>[0-9]{2})",
            "2026-11-30",
            "[A]-30",
        ),
        ("lines", "Anchors of lines", "(?m)^id .*$", "id 1\nno id 2\nid 3", "[A]\nno id 2\n[A]"),
        ("ends", "Anchors of the whole text", r"\Aa+|b+\z", "aa bb aa bb", "[A] bb aa [A]"),
        ("letters", "Letters beyond ASCII", "[\u{e9}-\u{fc}]+.", "x\u{e9}\u{fc}\u{6c49}y", "x[A]y"),
    ] {
        cases.push(
            case(id, pattern, text.to_owned())
                .says(title, finds)
                .spec("PAT-01 PAT-02 PAT-05")
                .answers(json!({ "value": filtered })),
        );
    }
    let gives_up = "Every machine stops at the same responses, and none computes for minutes.";
    for (id, title, pattern, text) in [
        (
            "quadratic",
            "A pattern that looks to the end at each of 20,000 digits",
            "[0-9].*Y|[0-9]",
            "7".repeat(20_000),
        ),
        (
            "at-once",
            "A search that takes too many steps alone",
            "(?:[0-9]{1,100})*Z",
            "7".repeat(60_000),
        ),
    ] {
        cases.push(
            case(id, pattern, text)
                .says(title, gives_up)
                .spec("PAT-06 PRIV-82 LIM-68 LIM-149")
                .refused("privacy.limit"),
        );
    }
    cases
}
