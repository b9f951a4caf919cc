//! Room: every fixed limit of the runtime, with its reason. The table of `spec/limits.md` holds the
//! same numbers, and a test compares the two.
//!
//! Names end in the unit and `MAX`. Where a package or a policy may ask for less, the highest value
//! it can ask for stands here.

macro_rules! limits {
    ($($name:ident $kind:ty = $value:expr; $id:literal $reason:literal)*) => {
        $(#[doc = concat!("`[", $id, "]` ", $reason, ".")] pub const $name: $kind = $value;)*
        /// Name, value, spec id and reason of every limit: the table of `spec/limits.md`.
        pub const ALL: &[(&str, u64, &str, &str)] =
            &[$((stringify!($name), $value, $id, $reason)),*];
    };
}

limits! {
    // Package. The largest real tool measured is CPython 3.12 for WASI: one module of 26.3 MB.
    ARCHIVE_BYTES_MAX usize = 64 << 20; "LIM-01" "CPython for WASI stored (26 MB) twice over"
    ENTRIES_COUNT_MAX usize = 4096; "LIM-02" "a script library under assets/; headers of so many entries stay below 1.3 MB"
    ENTRY_BYTES_MAX usize = 64 << 20; "LIM-03" "no entry is larger than a whole archive"
    CONTENT_BYTES_MAX usize = 128 << 20; "LIM-04" "what a host holds in memory for one package at most, once inflated"
    NAME_BYTES_MAX usize = 255; "LIM-05" "the longest file name common systems take"
    NAME_DEPTH_MAX usize = 16; "LIM-06" "folders are walked component by component"
    SIGNATURE_FILE_BYTES_MAX usize = 16 << 10; "LIM-07" "eight signatures need less than 4 KB"
    SIGNATURES_COUNT_MAX usize = 8; "LIM-08" "author, approver, and room; each costs a verification"
    MANIFEST_BYTES_MAX usize = 256 << 10; "LIM-09" "128 tools with schemas of 2 KB each"
    MANIFEST_DEPTH_MAX usize = 32; "LIM-10" "a schema of ten nested objects inside tools"
    TOOLS_COUNT_MAX usize = 128; "LIM-11" "agents choke on longer lists"

    // Request and answer.
    REQUEST_BYTES_MAX usize = 16 << 20; "LIM-12" "the arguments of one call as JSON"
    REQUEST_DEPTH_MAX usize = 64; "LIM-13" "nesting of arguments and answers; every walk over them recurses at most so deep"

    // Manifest and schemas.
    LIST_COUNT_MAX usize = 64; "LIM-14" "a list that a person is asked to approve; also authors, arguments and patterns"
    LINE_BYTES_MAX usize = 256; "LIM-15" "a name, an address, a host (253 at most by RFC 1035) or a pattern on one line"
    DESCRIPTION_BYTES_MAX usize = 8 << 10; "LIM-16" "two pages of text for people and models; also one argument of the program"
    SCHEMA_DEPTH_MAX usize = 32; "LIM-17" "schemas inside schemas, each `$ref` counted; checking a value recurses at most so deep"
    SCHEMA_LOOK_STEPS u64 = 1 << 16; "LIM-158" "steps of a check between two looks at the deadline: some 3 ms"
    SCHEMA_STEPS_MAX u64 = 32 << 20; "LIM-19" "checking one value against one schema: two looks at each byte of the largest request"

    // What a manifest can ask for at most.
    MEMORY_MB_MAX u32 = 1024; "LIM-140" "a quarter of what WebAssembly can address; CPython with a large table needs less"
    TIMEOUT_MS_MAX u32 = 600_000; "LIM-141" "ten minutes; an agent has given up by then"
    FUEL_MAX u64 = 1_000_000_000_000; "LIM-142" "more than ten minutes of computing, so the clock is reached first"
    OUTPUT_KB_MAX u32 = 16 << 10; "LIM-143" "an answer is as large as a request at most"
    STORAGE_KB_MAX u32 = 16 << 10; "LIM-144" "storage is for state, not for data sets; read whole when a call starts"
    STORAGE_ENTRY_BYTES usize = 512; "LIM-226" "what each name in storage counts for besides content: its bytes, and some to spare"
    STORAGE_FILE_BYTES_MAX usize = (16 << 20) + 1024; "LIM-227" "a snapshot of the largest quota, and whose it is"
    PATTERN_STATES_MAX usize = 1024; "LIM-145" "states of a regular expression: each costs a step for each byte"
    PATTERN_DEPTH_MAX usize = 10; "LIM-147" "groups inside each other in a regular expression"
    PATTERN_SEARCH_STEPS u64 = 16; "LIM-148" "of each search besides its bytes times states: what beginning one takes"
    PATTERN_SEARCH_STEPS_MAX u64 = 2 << 20; "LIM-149" "of one search, which is not interrupted: 30 ms at most"
    PATTERN_PROGRAM_BYTES_MAX usize = 256 << 10; "LIM-67" "a regular expression once compiled; the number of its states keeps it below"

    // Modules. Counted in real ones: Go hello 27,122 data segments; CPython 3.12 11,448 functions and 24,171
    // data segments in 26.3 MB; a C compiler 32,092 functions.
    MODULE_BYTES_MAX usize = 48 << 20; "LIM-20" "CPython for WASI (26 MB) nearly twice over"
    TYPES_COUNT_MAX usize = 10_000; "LIM-21" "real tools declare some hundred"
    FUNCTIONS_COUNT_MAX usize = 100_000; "LIM-22" "three times a C compiler; as many empty ones cost 23 MB"
    IMPORTS_COUNT_MAX usize = 1_000; "LIM-23" "46 functions exist; some linkers import one of them twice"
    EXPORTS_COUNT_MAX usize = 10_000; "LIM-24" "two are needed; some linkers export every symbol"
    GLOBALS_COUNT_MAX usize = 10_000; "LIM-25" "real tools have a handful; some linkers make one per symbol"
    TABLES_COUNT_MAX usize = 16; "LIM-26" "real tools have one"
    TABLE_ELEMENTS_COUNT_MAX usize = 1_000_000; "LIM-27" "all tables together: one entry per function ten times over, 8 MB"
    ELEMENT_SEGMENTS_COUNT_MAX usize = 10_000; "LIM-28" "real tools have one or two"
    DATA_SEGMENTS_COUNT_MAX usize = 100_000; "LIM-29" "Go needs 27,122"
    PARAMETERS_COUNT_MAX usize = 64; "LIM-30" "compilers pass more by memory; each call in unreachable code checks them all, whatever their number"
    RESULTS_COUNT_MAX usize = 16; "LIM-31" "each branch to a block checks and copies all its results"
    LOCALS_COUNT_MAX usize = 10_000; "LIM-32" "they are zeroed at each call, for the fuel of one call"
    FUNCTION_BYTES_MAX usize = 4 << 20; "LIM-33" "one function is translated in one go between two looks at the clock, ordinary code at about 15 ms a MB"
    NESTING_DEPTH_MAX usize = 10_000; "LIM-34" "one nested block per case of a large switch; each costs the engine 170 bytes"

    // Running.
    CALL_DEPTH_MAX usize = 65_536; "LIM-35" "CPython parses 80 nested parentheses; the engine's default of 1,000 stops it at 60"
    STACK_BYTES_MAX usize = 16 << 20; "LIM-36" "256 bytes for each of the frames; on the heap, grown on demand"
    SLICE_FUEL u64 = 100_000; "LIM-37" "below 2 ms of ordinary work between two looks at the clock"
    STDERR_BYTES_MAX usize = 64 << 10; "LIM-38" "a log for a person to read, kept with the record of the call"
    HOST_CALL_FUEL u64 = 100; "LIM-39" "a host call takes as long as some hundred operators; so fuel bounds their number"
    IOVEC_FUEL u64 = 10; "LIM-40" "reading and checking one pair of pointer and length"
    IOVECS_COUNT_MAX usize = 1024; "LIM-41" "IOV_MAX of common systems"
    RANDOM_BYTES_MAX usize = 1 << 20; "LIM-42" "one call stays within a slice's time"
    RANDOM_BYTE_FUEL u64 = 8; "LIM-43" "a byte of SHA-256 output takes about 4 ns"
    ENTRY_FUEL u64 = 100; "LIM-44" "listing one name"
    PATH_COMPONENT_FUEL u64 = 100; "LIM-45" "looking up one name"
    PATH_BYTES_MAX usize = 4096; "LIM-46" "PATH_MAX of common systems"
    OPEN_FILES_COUNT_MAX usize = 128; "LIM-47" "interpreters open some dozen at once"
    SUBSCRIPTIONS_COUNT_MAX usize = 1024; "LIM-48" "FD_SETSIZE of common systems"
    CLOCK_STEP_NS u64 = 1_000_000; "LIM-49" "a guest that waits a second in a loop looks at the clock 1,000 times"

    GROWTHS_COUNT_MAX usize = 1_000; "LIM-150" "allocators have one or two; each leaves 200 bytes on the host's stack until the slice ends, so at most 280 KB with the 400 that fit a slice"
    BLOCK_PARAMETERS_COUNT_MAX usize = 16; "LIM-153" "as many as results: each branch to a loop checks and copies them all"
    LABELS_COUNT_MAX usize = 1_000_000; "LIM-154" "of all br_tables together: each label checks and copies up to 16 values"
    ELEMENT_SECTION_BYTES_MAX usize = 1 << 20; "LIM-155" "three bytes for each function three times over; the engine makes 24 of each"
    JSON_VALUES_COUNT_MAX usize = 2_000_000; "LIM-156" "some 200 MB once parsed, filtered and written again; an answer of 16 MB may hold several times as many"
    PASSED_VALUES_COUNT_MAX usize = 256 << 20; "LIM-157" "calls times the most parameters of any type: a C compiler's 3 million calls times 30, nearly three times"

    // Command lines of tools.
    COMMAND_GROUP_COUNT_MAX usize = 8; "LIM-160" "words of one group: an option with its values and a condition"
    COMMAND_LINE_BYTES_MAX usize = 2 << 20; "LIM-161" "arguments that a call adds to a command line, each with its NUL: ARG_MAX of common systems"
    // Files.
    STAGED_BYTES_MAX usize = 64 << 20; "LIM-170" "what one call keeps in memory of files that it changes: as much as an archive may have"
    STAGED_NAMES_COUNT_MAX usize = 10_000; "LIM-171" "names that one call makes, and as many of the host's that it removes or replaces: a list that is still carried out in seconds"
    LISTED_ENTRIES_COUNT_MAX usize = 150_000; "LIM-172" "names of one directory: 100,000 files of a mail folder or a data set, and half as many again"
    LISTINGS_COUNT_MAX usize = 300_000; "LIM-173" "names kept for listings that are under way, of all open directories: two of the largest, some 20 MB"
    NODES_COUNT_MAX usize = 500_000; "LIM-174" "files and directories that one call meets or makes; some 300 bytes each, and its name of 255 bytes at most, which is kept once"
    FILE_DEPTH_MAX usize = 32; "LIM-175" "directories inside each other; twice what a package may have"
    HANDLES_COUNT_MAX usize = 64; "LIM-178" "directories of the host that are held open; twice the deepest way"
    LINK_STEPS_MAX usize = 32; "LIM-176" "links followed for one path; systems allow 20 to 40"
    HOST_NAME_FUEL u64 = 2_000; "LIM-177" "opening one name on the host takes some 2 microseconds"
    INSTALLED_COUNT_MAX usize = 1000; "LIM-200" "packages of one home: five times what any agent was seen to hold"
    INSTALLED_FILE_BYTES_MAX usize = 8 << 20; "LIM-201" "the index: 8 KB for each package"
    AGENT_NAME_CHARS_MAX usize = 128; "LIM-206" "name or version of an agent; what is longer is no name"
    ATTESTATION_S_MAX u64 = 300; "LIM-251" "seconds between a person's yes and the call: five minutes"
    SPENT_COUNT_MAX usize = 10_000; "LIM-252" "proofs used within those seconds; a person gives some dozen"
    SPENT_FILE_BYTES_MAX usize = 1 << 20; "LIM-253" "so many nonces of 90 bytes"
    KEY_FILE_BYTES_MAX usize = 4096; "LIM-254" "a key in PEM has some 120 bytes"
    APPROVALS_COUNT_MAX usize = 1_000; "LIM-255" "one for each package that can be installed"
    APPROVALS_FILE_BYTES_MAX usize = 8 << 20; "LIM-256" "8 KB for each"
    PENDING_COUNT_MAX usize = 64; "LIM-257" "questions that wait at once, twice what one server can ask"
    PENDING_ARGUMENTS_BYTES_MAX usize = 32 << 10; "LIM-258" "what a person can be expected to look through"
    PENDING_FILE_BYTES_MAX usize = 16 << 20; "LIM-259" "so many questions, their arguments written as JSON texts once more"
    CONSENT_WAIT_S_MAX u64 = 3_600; "LIM-250" "seconds that a call waits for a person: an hour, after which nobody is there"
    MCP_LINE_BYTES_MAX usize = 17 << 20; "LIM-202" "one message: a request of the largest size and what is around it"
    MCP_DEPTH_MAX usize = 72; "LIM-203" "nesting of a message: arguments of the deepest kind, and what is around them"
    MCP_ID_BYTES_MAX usize = 256; "LIM-204" "the id of a request, which goes back with each answer"
    MCP_CALLS_COUNT_MAX usize = 32; "LIM-205" "calls that run at once in one server; each takes a thread and the memory it was granted"

    // The door.
    SERVICE_REQUEST_BYTES_MAX usize = 4 << 20; "LIM-210" "one request of a guest, the body of an upload in base64 included"
    SERVICE_DEPTH_MAX usize = 3; "LIM-211" "nesting of a request: a list of headers, each a name and a value"
    SERVICE_REQUEST_FUEL u64 = 20_000; "LIM-212" "a look-up costs less, an exchange with a server takes time instead"
    SERVICE_BYTE_FUEL u64 = 1; "LIM-213" "reading or writing a byte of JSON takes some 10 ns"
    HTTP_RESPONSE_BYTES_MAX usize = 4 << 20; "LIM-214" "the largest ordinary web page ten times over; held three times on its way"
    HTTP_URL_BYTES_MAX usize = 8 << 10; "LIM-215" "what common servers take"
    HTTP_HEADERS_COUNT_MAX usize = 100; "LIM-216" "what common servers take and send"
    HTTP_HEADERS_BYTES_MAX usize = 32 << 10; "LIM-217" "names and values together; common servers take 8 to 32 KB"
    HTTP_REDIRECTS_COUNT_MAX usize = 5; "LIM-218" "a chain that is no mistake has three"

    // Audit.
    AUDIT_TEXT_BYTES_MAX usize = 256; "LIM-50" "a text from outside, with the marker that stands for what was cut off; longer names help nobody"
    AUDIT_LIST_COUNT_MAX usize = 256; "LIM-51" "capabilities of one call, and kinds of one filtered answer"
    AUDIT_LINE_BYTES_MAX usize = 512 << 10; "LIM-52" "256 texts of 256 bytes, each byte an escape of six, with 100 KB to spare"
    AUDIT_CALLS_COUNT_MAX usize = 1024; "LIM-53" "calls open at once; each call to begin looks at every one of them"
    AUDIT_TORN_BYTES_MAX usize = 4 << 20; "LIM-54" "torn lines set aside under one name; eight of the longest"

    // Privacy.
    PRIVACY_BYTES_MAX usize = 64 << 20; "LIM-60" "bytes scanned in one call, re-scans included: an answer of 16 MB four times over"
    PRIVACY_DEPTH_MAX usize = 128; "LIM-61" "the walk recurses; no parsed answer is nested more deeply"
    PRIVACY_NESTED_DEPTH_MAX usize = 4; "LIM-62" "JSON in a string in JSON; what lies deeper is scanned as text"
    PRIVACY_PASSES_COUNT_MAX usize = 6; "LIM-63" "scans of one string; the second one finds nothing but in texts made for it"
    PRIVACY_POINTERS_COUNT_MAX usize = 64; "LIM-64" "places named for each kind; the count goes on"
    PRIVACY_CUSTOM_COUNT_MAX usize = 64; "LIM-65" "custom patterns of publisher and host together"
    PRIVACY_POINTER_BYTES_MAX usize = 1 << 10; "LIM-69" "a place that is named; longer ones are made of text for keys"
    PRIVACY_LOOK_STEPS u64 = 1 << 18; "LIM-74" "steps, or bytes scanned, between two looks at the deadline: some 5 ms"
    PRIVACY_STEPS_MAX u64 = 96 << 20; "LIM-68" "steps of all searches of custom patterns in one value: a second and a half, at 15 ns for the worst step"

    // Secrets.
    SECRET_BYTES_MIN usize = 8; "LIM-260" "a shorter value stands in any text by chance, and is guessed from where it is missing"
    SECRET_BYTES_MAX usize = 4096; "LIM-261" "a web token with many claims has some 2 KB; terminals take lines of 4 KB"
    SECRETS_COUNT_MAX usize = 256; "LIM-262" "secrets of one host: some for each of the tools that an agent holds"
    SECRETS_FILE_BYTES_MAX usize = 4 << 20; "LIM-263" "so many of the longest, each byte an escape of two, and what is around them"
    SECRET_COMMAND_TIMEOUT_MS u64 = 30_000; "LIM-264" "a person may have to type the password of a key ring"
    SECRET_COMMAND_LOOK_MS u64 = 5; "LIM-265" "between two looks at whether a command has ended that has closed its output"
    SECRET_PREFIX_BYTES_MAX usize = 64; "LIM-266" "a word such as `Bearer` before a secret"

    // The transport of the command line.
    HTTP_HEAD_BYTES_MAX usize = 64 << 10; "LIM-240" "status lines, headers and trailers of one response, interim answers included: sites with long security policies send 20 KB"
    HTTP_CHUNK_LINE_BYTES_MAX usize = 256; "LIM-241" "the line before a chunk: 16 digits, and extensions that nobody uses"
    HTTP_LOOKUPS_COUNT_MAX usize = 16; "LIM-242" "names looked up at once; a look-up that hangs keeps its thread until the system's resolver gives up"
    HTTP_CANCEL_LOOK_MS u64 = 20; "LIM-243" "between two looks at whether a call was cancelled: a fifth of what it may take to stop"

    // Trust store and policy.
    TRUST_FILE_BYTES_MAX usize = 1 << 20; "LIM-70" "some 2,500 publishers of one key each"
    POLICY_FILE_BYTES_MAX usize = 1 << 20; "LIM-71" "some ten thousand rules"
    HOST_FILE_DEPTH_MAX usize = 8; "LIM-72" "twice the nesting of the deepest member of either file"
    TOKEN_LIFETIME_S_MAX u64 = 86_400; "LIM-73" "a grant for more than a day is a standing rule, and belongs in the policy file"
}
