//! Every fixed limit of the runtime, with its reason: the source of `spec/limits.md`.
//!
//! Names end in the unit and `MAX`. If packages or policies can request less, the value is the highest
//! that they can request.

macro_rules! limits {
    ($($name:ident $kind:ty = $value:expr; $id:literal $reason:literal)*) => {
        $(#[doc = concat!("`[", $id, "]` ", $reason, ".")] pub const $name: $kind = $value;)*
        /// Name, value, id and reason of every limit: the table of `spec/limits.md`.
        pub const ALL: &[(&str, u64, &str, &str)] =
            &[$((stringify!($name), $value, $id, $reason)),*];
    };
}

limits! {
    // Packages. The largest tool measured is CPython 3.12 for WASI: one module of 26.3 MB.
    ARCHIVE_BYTES_MAX usize = 64 << 20; "LIM-01" "twice CPython for WASI"
    ENTRIES_COUNT_MAX usize = 4096; "LIM-02" "a script library under assets/"
    ENTRY_BYTES_MAX usize = 64 << 20; "LIM-03" "the largest archive"
    CONTENT_BYTES_MAX usize = 128 << 20; "LIM-04" "memory for one inflated package"
    NAME_BYTES_MAX usize = 255; "LIM-05" "NAME_MAX"
    NAME_DEPTH_MAX usize = 16; "LIM-06" "directories are opened component by component"
    SIGNATURE_FILE_BYTES_MAX usize = 16 << 10; "LIM-07" "eight signatures: 4 KB"
    SIGNATURES_COUNT_MAX usize = 8; "LIM-08" "author, approver and reserve"
    MANIFEST_BYTES_MAX usize = 256 << 10; "LIM-09" "128 tools with schemas"
    MANIFEST_DEPTH_MAX usize = 32; "LIM-10" "ten nested objects in a tool's schema"
    TOOLS_COUNT_MAX usize = 128; "LIM-11" "longer lists confuse models"

    // Request and result.
    REQUEST_BYTES_MAX usize = 16 << 20; "LIM-12" "arguments of one call as JSON"
    REQUEST_DEPTH_MAX usize = 64; "LIM-13" "nesting of arguments and results"

    // Manifest and schemas.
    LIST_COUNT_MAX usize = 64; "LIM-14" "entries that a person can review"
    LINE_BYTES_MAX usize = 256; "LIM-15" "a name, URL, host (RFC 1035: 253) or pattern"
    DESCRIPTION_BYTES_MAX usize = 8 << 10; "LIM-16" "two pages of text"
    SCHEMA_DEPTH_MAX usize = 32; "LIM-17" "nested schemas, counting each `$ref`"
    SCHEMA_SLICE_STEPS u64 = 1 << 16; "LIM-158" "between deadline checks: 3 ms"
    SCHEMA_STEPS_MAX u64 = 32 << 20; "LIM-19" "two per byte of the largest request"

    // Requests of a manifest.
    MEMORY_MB_MAX u32 = 1024; "LIM-140" "a quarter of WebAssembly's address space"
    TIMEOUT_MS_MAX u32 = 600_000; "LIM-141" "ten minutes; agents give up earlier"
    FUEL_MAX u64 = 1_000_000_000_000; "LIM-142" "ten minutes: the timeout comes first"
    OUTPUT_KB_MAX u32 = 16 << 10; "LIM-143" "as large as a request"
    STORAGE_KB_MAX u32 = 16 << 10; "LIM-144" "state, not data sets; loaded for each call"
    STORAGE_ENTRY_BYTES usize = 512; "LIM-226" "for each name, besides content"
    STORAGE_FILE_BYTES_MAX usize = (16 << 20) + 1024; "LIM-227" "the largest quota and the owner"
    PATTERN_STATES_MAX usize = 1024; "LIM-145" "each state costs one step per byte"
    PATTERN_DEPTH_MAX usize = 10; "LIM-147" "nested groups of an expression"
    PATTERN_SEARCH_STEPS u64 = 16; "LIM-148" "fixed cost of a search"
    PATTERN_SEARCH_STEPS_MAX u64 = 2 << 20; "LIM-149" "one uninterruptible search: 30 ms"
    PATTERN_PROGRAM_BYTES_MAX usize = 256 << 10; "LIM-67" "a compiled expression"

    // Modules. Measured: Go hello 27,122 data segments; CPython 3.12 11,448 functions and 24,171
    // data segments in 26.3 MB; a C compiler 32,092 functions.
    MODULE_BYTES_MAX usize = 48 << 20; "LIM-20" "twice CPython for WASI"
    TYPES_COUNT_MAX usize = 10_000; "LIM-21" "tools declare some hundred"
    FUNCTIONS_COUNT_MAX usize = 100_000; "LIM-22" "three times a C compiler"
    IMPORTS_COUNT_MAX usize = 1_000; "LIM-23" "some linkers import duplicates"
    EXPORTS_COUNT_MAX usize = 10_000; "LIM-24" "some linkers export every symbol"
    GLOBALS_COUNT_MAX usize = 10_000; "LIM-25" "some linkers make one per symbol"
    TABLES_COUNT_MAX usize = 16; "LIM-26" "tools have one"
    TABLE_ELEMENTS_COUNT_MAX usize = 1_000_000; "LIM-27" "ten entries per function, in all tables"
    ELEMENT_SEGMENTS_COUNT_MAX usize = 10_000; "LIM-28" "tools have one or two"
    DATA_SEGMENTS_COUNT_MAX usize = 100_000; "LIM-29" "Go needs 27,122"
    PARAMETERS_COUNT_MAX usize = 64; "LIM-30" "compilers pass more in memory"
    RESULTS_COUNT_MAX usize = 4; "LIM-31" "compilers return one"
    LOCALS_COUNT_MAX usize = 10_000; "LIM-32" "zeroed at each call"
    FUNCTION_BYTES_MAX usize = 2 << 20; "LIM-33" "translated in 0.1 to 0.7 s, without deadline check"
    NESTING_DEPTH_MAX usize = 10_000; "LIM-34" "a block per case of a switch"

    // Execution.
    CALL_DEPTH_MAX usize = 65_536; "LIM-35" "80 nested parentheses in CPython"
    STACK_BYTES_MAX usize = 16 << 20; "LIM-36" "256 bytes per frame"
    SLICE_FUEL u64 = 100_000; "LIM-37" "2 ms between deadline checks"
    STDERR_BYTES_MAX usize = 64 << 10; "LIM-38" "a log for people"
    HOST_CALL_FUEL u64 = 100; "LIM-39" "time of 100 operators"
    IOVEC_FUEL u64 = 10; "LIM-40" "reading one pointer and length"
    IOVECS_COUNT_MAX usize = 1024; "LIM-41" "IOV_MAX"
    RANDOM_BYTES_MAX usize = 1 << 20; "LIM-42" "one call fits a slice"
    RANDOM_BYTE_FUEL u64 = 8; "LIM-43" "4 ns a byte (SHA-256)"
    ENTRY_FUEL u64 = 100; "LIM-44" "listing one name"
    PATH_COMPONENT_FUEL u64 = 100; "LIM-45" "looking up one name"
    PATH_BYTES_MAX usize = 4096; "LIM-46" "PATH_MAX"
    OPEN_FILES_COUNT_MAX usize = 128; "LIM-47" "interpreters open some dozen"
    SUBSCRIPTIONS_COUNT_MAX usize = 1024; "LIM-48" "FD_SETSIZE"
    CLOCK_STEP_NS u64 = 1_000_000; "LIM-49" "1,000 readings in a polled second"

    GROWTHS_COUNT_MAX usize = 1_000; "LIM-150" "allocators have one or two"
    BLOCK_PARAMETERS_COUNT_MAX usize = 4; "LIM-153" "every branch to a loop copies them"
    LABELS_COUNT_MAX usize = 1_000_000; "LIM-154" "of all br_tables; each checks up to 16 values"
    ELEMENT_SECTION_BYTES_MAX usize = 1 << 20; "LIM-155" "nine bytes per function"
    JSON_VALUES_COUNT_MAX usize = 2_000_000; "LIM-156" "200 MB while parsed"
    PASSED_VALUES_COUNT_MAX usize = 256 << 20; "LIM-157" "calls times the widest type: three C compilers"

    // Command lines of tools.
    COMMAND_GROUP_COUNT_MAX usize = 8; "LIM-160" "an option, values and a condition"
    COMMAND_LINE_BYTES_MAX usize = 2 << 20; "LIM-161" "arguments with NULs: ARG_MAX"
    // Files.
    STAGED_BYTES_MAX usize = 64 << 20; "LIM-170" "in memory: as large as an archive"
    STAGED_NAMES_COUNT_MAX usize = 10_000; "LIM-171" "created, and as many removed or replaced"
    COMMIT_CHANGE_US u64 = 1_000; "LIM-179" "one change, flushed: 0.5 to 1.3 ms"
    LISTED_ENTRIES_COUNT_MAX usize = 150_000; "LIM-172" "mail directories have 100,000 entries"
    LISTINGS_COUNT_MAX usize = 300_000; "LIM-173" "two large unfinished listings: 20 MB"
    NODES_COUNT_MAX usize = 500_000; "LIM-174" "inodes of one call, 300 bytes each"
    FILE_DEPTH_MAX usize = 32; "LIM-175" "twice the depth of a package"
    HANDLES_COUNT_MAX usize = 48; "LIM-178" "the deepest path and half of it"
    LINK_STEPS_MAX usize = 32; "LIM-176" "systems allow 20 to 40"
    HOST_NAME_FUEL u64 = 2_000; "LIM-177" "opening one host file: 2 microseconds"
    INSTALLED_COUNT_MAX usize = 1000; "LIM-200" "five times any known agent"
    INSTALLED_FILE_BYTES_MAX usize = 8 << 20; "LIM-201" "the index: 8 KB per package"
    AGENT_NAME_CHARS_MAX usize = 128; "LIM-206" "longer texts are not names"
    ATTESTATION_S_MAX u64 = 300; "LIM-251" "seconds from approval to call"
    SPENT_COUNT_MAX usize = 10_000; "LIM-252" "used proofs in that time"
    SPENT_FILE_BYTES_MAX usize = 1 << 20; "LIM-253" "10,000 nonces of 90 bytes"
    KEY_FILE_BYTES_MAX usize = 4096; "LIM-254" "a key in PEM has 120 bytes"
    APPROVALS_COUNT_MAX usize = 1_000; "LIM-255" "one for each installed package"
    APPROVALS_FILE_BYTES_MAX usize = 8 << 20; "LIM-256" "8 KB each"
    PENDING_COUNT_MAX usize = 256; "LIM-257" "eight servers that ask about every call"
    PENDING_SERVER_COUNT_MAX usize = 32; "LIM-267" "of one server: one for each call"
    PENDING_ARGUMENTS_BYTES_MAX usize = 32 << 10; "LIM-258" "what a person can review"
    PENDING_FILE_BYTES_MAX usize = 64 << 20; "LIM-259" "256 requests with their arguments"
    CONSENT_WAIT_S_MAX u64 = 3_600; "LIM-250" "an hour to decide"
    MCP_LINE_BYTES_MAX usize = 17 << 20; "LIM-202" "the largest request and its envelope"
    MCP_DEPTH_MAX usize = 72; "LIM-203" "the deepest arguments and their envelope"
    MCP_ID_BYTES_MAX usize = 256; "LIM-204" "echoed in the response"
    MCP_CALLS_COUNT_MAX usize = 32; "LIM-205" "each has a thread and its memory"


    // What the calls of one process share: the defaults of the policy's `budgets`.
    GUEST_MEMORY_MB u64 = 2048; "LIM-270" "16 of 64 MB with 1 MB of output"
    COMPILED_CODE_MB u64 = 256; "LIM-271" "CPython counts as 141 MB, Go as 85"
    OUTPUT_MEMORY_FACTOR u64 = 64; "LIM-278" "a byte parsed, filtered and written"
    VALUE_MEMORY_BYTES u64 = 112; "LIM-268" "one JSON value: `[0]` takes twice 111; an object counts as 16"
    OUTPUT_MEMORY_BYTES_MAX u64 = 256 << 20; "LIM-279" "an output of the most JSON values"
    DIRECTORY_CALL_MEMORY_BYTES u64 = 352 << 20; "LIM-269" "staged content, and inodes with their names"
    DESCRIPTORS_SET_ASIDE u64 = 64; "LIM-272" "files of the process and the log"
    DESCRIPTORS_COUNT_DEFAULT u64 = 256; "LIM-273" "if its own limit cannot be read"
    DIRECTORY_CALL_DESCRIPTORS u64 = 184; "LIM-274" "open files, host directories, eight for changes"
    NETWORK_CALL_DESCRIPTORS u64 = 12; "LIM-275" "pipes and sockets of one exchange"
    VERIFICATION_WAIT_MS u64 = 30_000; "LIM-277" "a second for each other package"
    SPACE_WAIT_MS u64 = 1_000; "LIM-285" "for packages in use to end"
    BUDGET_POLL_MS u64 = 20; "LIM-276" "a fifth of the delay on cancellation"
    // Upper bounds of translated code, in bytes, measured with wasmi 2.0.0 over hostile functions.
    FUNCTION_CODE_BYTES u64 = 256; "LIM-280" "an empty function takes 230"
    OPERATOR_CODE_BYTES u64 = 48; "LIM-281" "two operators take up to 96"
    LOCAL_CODE_BYTES u64 = 24; "LIM-282" "`local.get` or constant, copied once"
    BLOCK_CODE_BYTES u64 = 128; "LIM-283" "block or call, besides the operator"
    BRANCH_VALUE_CODE_BYTES u64 = 64; "LIM-284" "a value that a branch may copy"
    // Host services.
    SERVICE_REQUEST_BYTES_MAX usize = 4 << 20; "LIM-210" "with a base64 body"
    SERVICE_DEPTH_MAX usize = 3; "LIM-211" "a list of headers: names and values"
    SERVICE_REQUEST_FUEL u64 = 20_000; "LIM-212" "more than a lookup; exchanges take time instead"
    SERVICE_BYTE_FUEL u64 = 1; "LIM-213" "a byte of JSON takes 10 ns"
    HTTP_RESPONSE_BYTES_MAX usize = 4 << 20; "LIM-214" "ten times a large page"
    HTTP_URL_BYTES_MAX usize = 8 << 10; "LIM-215" "accepted by common servers"
    HTTP_HEADERS_COUNT_MAX usize = 100; "LIM-216" "used by common servers"
    HTTP_HEADERS_BYTES_MAX usize = 32 << 10; "LIM-217" "common servers accept 8 to 32 KB"
    HTTP_REDIRECTS_COUNT_MAX usize = 5; "LIM-218" "correct chains have three"

    // Audit log.
    AUDIT_TEXT_BYTES_MAX usize = 256; "LIM-50" "a text from outside, with its truncation marker"
    AUDIT_LIST_COUNT_MAX usize = 256; "LIM-51" "capabilities, or kinds of a result"
    AUDIT_LINE_BYTES_MAX usize = 512 << 10; "LIM-52" "256 texts of 256 bytes, escaped, and 100 KB"
    AUDIT_CALLS_COUNT_MAX usize = 1024; "LIM-53" "open calls"
    AUDIT_TORN_BYTES_MAX usize = 4 << 20; "LIM-54" "eight of the longest lines"

    // Privacy.
    PRIVACY_BYTES_MAX usize = 64 << 20; "LIM-60" "a 16 MB result four times"
    PRIVACY_DEPTH_MAX usize = 128; "LIM-61" "bounds recursion"
    PRIVACY_NESTED_DEPTH_MAX usize = 4; "LIM-62" "JSON in strings; deeper levels are text"
    PRIVACY_PASSES_COUNT_MAX usize = 6; "LIM-63" "usually the second scan finds nothing"
    PRIVACY_POINTERS_COUNT_MAX usize = 64; "LIM-64" "places per kind; all are counted"
    PRIVACY_CUSTOM_COUNT_MAX usize = 64; "LIM-65" "of publisher and host together"
    PRIVACY_POINTER_BYTES_MAX usize = 1 << 10; "LIM-69" "longer pointers have texts as keys"
    PRIVACY_SLICE_STEPS u64 = 1 << 18; "LIM-74" "between deadline checks: 5 ms"
    PRIVACY_STEPS_MAX u64 = 96 << 20; "LIM-68" "1.5 s"

    // Secrets.
    SECRET_BYTES_MIN usize = 8; "LIM-260" "shorter values can be guessed"
    SECRET_BYTES_MAX usize = 4096; "LIM-261" "JWTs have 2 KB; terminal lines 4 KB"
    SECRETS_COUNT_MAX usize = 256; "LIM-262" "several for each tool of an agent"
    SECRETS_FILE_BYTES_MAX usize = 4 << 20; "LIM-263" "256 of the longest, escaped twofold"
    SECRET_COMMAND_TIMEOUT_MS u64 = 30_000; "LIM-264" "to unlock a key ring"
    SECRET_COMMAND_POLL_MS u64 = 5; "LIM-265" "after a command closed its output"
    SECRET_PREFIX_BYTES_MAX usize = 64; "LIM-266" "a scheme such as `Bearer`"

    // HTTP transport of the command line.
    HTTP_HEAD_BYTES_MAX usize = 64 << 10; "LIM-240" "long security policies take 20 KB"
    HTTP_CHUNK_LINE_BYTES_MAX usize = 256; "LIM-241" "16 digits and unused extensions"
    HTTP_LOOKUPS_COUNT_MAX usize = 16; "LIM-242" "a hanging one blocks its thread"
    HTTP_CANCEL_POLL_MS u64 = 20; "LIM-243" "a fifth of the delay on cancellation"

    // Trust store and policy.
    TRUST_FILE_BYTES_MAX usize = 1 << 20; "LIM-70" "2,500 publishers of one key each"
    POLICY_FILE_BYTES_MAX usize = 1 << 20; "LIM-71" "some ten thousand rules"
    HOST_FILE_DEPTH_MAX usize = 8; "LIM-72" "twice the deepest member"
    TOKEN_LIFETIME_S_MAX u64 = 86_400; "LIM-73" "longer grants belong in the policy file"
    BUNDLE_BYTES_MAX usize = 4 << 20; "LIM-76" "a trust store and a policy of the largest size, in base64"
    ROTATION_BYTES_MAX usize = 4 << 10; "LIM-75" "ten times a statement"
}
