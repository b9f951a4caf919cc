{
// 1. Verify the package
let result = Gatekeeper::verify_file(Path::new("tool.mpp"))?;
// 2. Evaluate permissions
let policy = PermissionPolicy::new()
    .trust_package("org.mycompany.internal-tool")
    .auto_approve_low(true);
match policy.evaluate(&result.manifest) {
    PolicyDecision::Granted(token) => {
        // 3. Execute in sandbox
        let config = SandboxConfig {
            memory_limit_bytes: result.manifest.runtime.memory_limit_mb as u64 * 1024 * 1024,
            timeout: Duration::from_millis(result.manifest.runtime.timeout_ms as u64),
            stdin_data: request_bytes,
            env_vars: extract_approved_env_vars(&token),
            dir_mappings: extract_approved_dirs(&token),
            capability_token: Some(token),
            allowed_network_domains: result.manifest.capabilities.network.clone(),
        };
        let sandbox = WasmSandbox::new()?;
        let output = sandbox.execute(&result.wasm_binary, config)?;
        // 4. Apply privacy filters
        let engine = PrivacyFilterEngine::from_config(
            &result.manifest.privacy_filters.patterns,
            &custom_patterns,
        )?;
        let (filtered, applied) = engine.redact_json(&response.result.content);
    }
    PolicyDecision::RequiresConfirmation { capabilities, security_level } => {
        // Show HITL dialog, then proceed if approved
    }
    PolicyDecision::Denied { reason } => {
        // Block execution
    }
}
}
