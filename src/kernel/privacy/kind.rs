//! Built-in kinds of personal data: names, labels and precedence, in one table.

macro_rules! kinds {
    ($($variant:ident $bit:literal $name:literal $label:literal $what:literal)*) => {
        /// A built-in kind of personal data, in order of precedence: of overlapping matches of equal length
        /// the first kind wins.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind { $(#[doc = $what] $variant),* }

        impl Kind {
            /// All kinds, in order of precedence.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant),*];

            /// Returns the name in manifests, policies and reports, such as `credit-card`.
            pub fn name(self) -> &'static str {
                match self { $(Kind::$variant => $name),* }
            }

            /// The bit of the kind in a set.
            pub(super) const fn bit(self) -> u64 {
                match self { $(Kind::$variant => 1 << $bit),* }
            }

            /// Returns the label that replaces a value, without its brackets, such as `CREDIT_CARD`.
            pub fn label(self) -> &'static str {
                match self { $(Kind::$variant => $label),* }
            }
        }
    };
}

// [PRIV-01]
kinds! {
    PrivateKey      0 "private-key"     "PRIVATE_KEY"     "A private key in its armour."
    Jwt             1 "jwt"             "JWT"             "A JSON Web Token."
    ApiKey          2 "api-key"         "API_KEY"         "A key or token of a service, known by its prefix."
    Credential     31 "credential"      "CREDENTIAL"      "A password, token or key, known by its name or place."
    CreditCard      3 "credit-card"     "CREDIT_CARD"     "A payment card number."
    Iban            4 "iban"            "IBAN"            "An international bank account number."
    Ssn             5 "ssn"             "US_SSN"          "A US social security number."
    Itin            6 "itin"            "US_ITIN"         "A US individual taxpayer number."
    Aadhaar         7 "aadhaar"         "IN_AADHAAR"      "An Aadhaar number of India."
    Nhs             8 "nhs-number"      "UK_NHS"          "A number of a patient of the British NHS."
    Npi             9 "npi"             "US_NPI"          "A US national provider number of health care."
    Sin            10 "sin"             "CA_SIN"          "A Canadian social insurance number."
    Routing        11 "aba-routing"     "ABA_ROUTING"     "A US bank routing number."
    Cpf            32 "cpf"             "BR_CPF"          "A taxpayer number of Brazil."
    Cnpj           33 "cnpj"            "BR_CNPJ"         "A company number of Brazil."
    Nino           34 "nino"            "UK_NINO"         "A British national insurance number."
    CodiceFiscale  35 "codice-fiscale"  "IT_CODICE_FISCALE" "A tax code of Italy."
    Dni            36 "dni"             "ES_DNI"          "An identity or tax number of a Spaniard."
    Nie            37 "nie"             "ES_NIE"          "An identity number of a foreigner in Spain."
    Pesel          38 "pesel"           "PL_PESEL"        "A personal number of Poland."
    Bsn            39 "bsn"             "NL_BSN"          "A citizen service number of the Netherlands."
    SteuerId       40 "steuer-id"       "DE_STEUER_ID"    "A tax identification number of Germany."
    Personnummer   41 "personnummer"    "SE_PERSONNUMMER" "A personal or coordination number of Sweden."
    IndiaPan       42 "india-pan"       "IN_PAN"          "A permanent account number of an Indian taxpayer."
    Nir            43 "nir"             "FR_NIR"          "A social security number of France."
    Ahv            44 "ahv"             "CH_AHV"          "A social security number of Switzerland."
    Hetu           45 "hetu"            "FI_HETU"         "A personal identity code of Finland."
    Email          12 "email"           "EMAIL"           "An e-mail address."
    IpAddress      13 "ip-address"      "IP_ADDRESS"      "An IPv4 or IPv6 address, with its prefix length if any."
    Passport       14 "passport"        "PASSPORT"        "A passport number that its surroundings name as one."
    DriversLicense 15 "drivers-license" "DRIVERS_LICENSE" "A driving license number that its surroundings name as one."
    DateOfBirth    16 "date-of-birth"   "DATE_OF_BIRTH"   "A date that its surroundings name as a day of birth."
    Phone          17 "phone"           "PHONE"           "A telephone number."
}

impl Kind {
    /// Returns the kind with this public name.
    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct KindSet(u64);

impl KindSet {
    pub(super) fn add(&mut self, kind: Kind) {
        self.0 |= kind.bit();
    }

    pub(super) fn has(self, kind: Kind) -> bool {
        self.0 & kind.bit() != 0
    }
}
