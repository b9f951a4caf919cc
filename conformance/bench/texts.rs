//! The texts that the cost of the privacy filter is measured and bounded with: a name, and a piece that is
//! repeated.

/// `unit` again and again, with `#` standing for digits that count up, to about so many bytes.
pub fn filled(unit: &str, bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + unit.len() * 8);
    let mut number = 1_234_567_u32;
    while text.len() < bytes {
        for (index, piece) in unit.split('#').enumerate() {
            if index > 0 {
                number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                text.push_str(&format!("{:05}", number >> 8 & 0xFFFF));
            }
            text.push_str(piece);
        }
    }
    text
}

/// What tools answer.
pub const ORDINARY: &[(&str, &str)] = &[
    (
        "prose",
        "The committee met on Tuesday to look at the plans for the new library; nobody objected, \
        though #.5 square metres seemed little to some of them. It will be opened in 2027. ",
    ),
    (
        "numbers",
        "{\"id\":#,\"at_ms\":17485#543,\"seat\":\"B-#\",\"geo\":[-58.#936,49.2#046],\"price\":#.99},",
    ),
    (
        "records",
        "{\"id\": #, \"name\": \"Marie Hamanova\", \"email\": \"marie#@armyspy.example\", \"phone\": \
        \"+299 84 23 30\", \"note\": \"Marie works at Simple Solutions; write to her.\", \"zip\": \"3910\"},\n",
    ),
    ("log", "2026-03-0#T12:00:01Z INFO worker-# accepted a connection, took #us, id=9f#ac1e\n"),
];

/// As bad as possible for one scanner each.
pub const WORST: &[(&str, &str)] = &[
    ("e-mail addresses", "a@b.co "),
    ("at signs", "@"),
    ("local parts", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@"),
    ("domains", "@a.b.c.d.e.f.g.h.i.j.k.l.m.n.o"),
    ("cards", "4012888888881881 "),
    ("cards in groups", "4012 8888 8888 1881 "),
    ("account numbers", "GB29NWBK60161331926819 "),
    ("starts of account numbers", "GB29"),
    ("social security numbers", "536-33-3955 "),
    ("addresses", "10.0.0.1 "),
    ("addresses of version 6", "::1 "),
    ("colons", ":"),
    ("hexadecimal and colons", "a:b:"),
    ("telephones", "+14155550132 "),
    ("telephones in groups", "012 345 6789 "),
    ("hinted telephones", "tel 555 0132 "),
    ("call words", "call 12345678 "),
    ("pairs of digits", "12 "),
    ("digits and line breaks", "1234\n"),
    ("digits", "4"),
    ("hinted numbers", "passport 1234567 "),
    ("words and digits", "dob is passport driver 1234 "),
    ("broken numbers", "12-34\n"),
    ("dates in words", "dob 3 mars "),
    ("national numbers", "nhs sin npi aba 1234567893 "),
    ("numbers with letters", "nino dni nie pan cnpj nir A1234567 "),
    ("short words with digits", "cnpj a1 b2 c3 d4 "),
    ("marked numbers", "529.982.247-25 "),
    ("groups of one", "bsn cpf nir 1 2 3 4 5 6 7 8 9 "),
    ("groups of two", "dni hetu nir 12 34 56 78 90 12 34 56 "),
    ("groups of three", "bsn nhs cpf nir sin 123 123 123 123 123 123 123 123 "),
    ("starts of tax codes", "RSSMRA85M01H501 "),
    ("tracks", "%B4012888888881881^A^1234 "),
    ("spaced account numbers", "DE 89 "),
    ("telephone words", "тел 84955550123 电话"),
    ("keys", "AKIAIOSFODNN7EXAMPLE "),
    ("prefixes", "xoxb-"),
    ("prefixes that need a mixture", "sk-"),
    ("keys before letters", "glpat-\u{431}"),
    ("marks of keys", "a.abcdef."),
    ("passwords of addresses", "a://b:c"),
    ("passwords with slashes", "a://b:c/"),
    ("names", "token="),
    ("names and values", "password: Elm7x-"),
    ("names of three letters", "pwd:"),
    ("cookies", "cookie: a=b; "),
    ("options", " --token a -u a:b -p "),
    ("logins", "login a password b "),
    ("members of web keys", "\"d\":\"AyMqSysPpbyDfgZl\","),
    ("broken armour", "----BEGIN "),
    ("prefixes with points", "glpat-.ya29."),
    ("headers of tokens", "eyJhbGciOiJub25lIn0."),
    ("starts of tokens", "eyJ-"),
    ("armour", "-----BEGIN PRIVATE KEY-----"),
    ("backslashes", "\\"),
    ("escapes", "\\u0034"),
    ("percent", "%34"),
    ("zero width", "4\u{200B}"),
    ("Arabic digits", "٤"),
    ("dashes", "-"),
    ("brackets", "["),
    ("closing brackets", "(a]"),
    ("tags", "<a"),
    ("tags and values", "<td>tel</td><td>12345678</td>"),
    ("marks before values", "tel                               |12345678"),
    ("rows of commas", "tel,12345678,"),
    ("rows of a table", "tel,n\n12345678,1\n"),
    ("one long line", "tel|12345678|"),
    ("lines of names", "tel;fax;name\nname;tel\n1234567\n"),
    ("aligned columns", "tel  fax  name\n12345678  12345678\n"),
    ("lists", "tel 12345678, 12345678 and 12345678; "),
    ("wide dashes", "12 - 34 - 567 "),
    ("slashes", "2125550132/"),
    ("counts", "call 123456789 bytes "),
    ("quoted local parts", "\"a\"@"),
    ("comments of local parts", "a(b)@b.co "),
    ("other scripts", "張@b.co"),
    ("copied files", "a@b.co:x/"),
    ("user parts of addresses", "://a@b.co"),
    ("literal addresses", "a@[1.2.3.4]"),
    ("ports", "198.51.100.2.50122 > "),
    ("small quads", "ip 1.2.3.4 "),
    ("quads with brackets", "1[.]2[.]3[.]4"),
    ("host names", "ip-10-0-0-1."),
    ("zones", "fe80::1%a "),
    ("starts of objects", "{\""),
    ("nested objects", "{\"a\":"),
    ("objects", "{\"tel\": 4155550132}\n"),
    ("strings of objects", "\"{\\\"a"),
    ("quotes", "\""),
];
