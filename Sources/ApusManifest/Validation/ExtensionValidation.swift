internal import ApusCore
internal import ApusModel

extension Checks {
    // MARK: EnvoyFilter

    func envoyFilter(_ spec: EnvoyFilter) {
        selector(spec.workloadSelector, "spec.workloadSelector.labels")
        if spec.workloadSelector != nil, !spec.targetRefs.isEmpty {
            error("spec.targetRefs", "workloadSelector and targetRefs exclude each other", hint: "keep one of them")
        }
        if spec.configPatches.isEmpty { warning("spec", "the EnvoyFilter has no configPatches") }
        for (index, patch) in spec.configPatches.enumerated() {
            self.patch(patch, "spec.configPatches[\(index)]", hasPriority: spec.priority != 0)
        }
    }

    private func patch(_ patch: EnvoyFilter.Patch, _ path: @autoclosure Path, hasPriority: Bool) {
        if patch.applyTo == .invalid { error(path(), "the patch has no applyTo") }
        if patch.operation == .invalid {
            error("\(path()).patch", "the patch has no operation")
        } else if patch.operation != .remove, patch.value == nil {
            error("\(path()).patch", "the operation \(patch.operation.rawValue) needs a value")
        }
        if !patch.proxyVersion.isEmpty { regex(patch.proxyVersion, "\(path()).match.proxy.proxyVersion") }
        objectMatch(patch, path())
        switch patch.operation {
        case .replace:
            if ![.networkFilter, .httpFilter, .listenerFilter].contains(patch.applyTo), patch.applyTo != .invalid {
                report(
                    .error, FindingCode.replaceOperation, "\(path()).patch.operation",
                    "REPLACE works only on filters, not on \(patch.applyTo.rawValue)", hint: "use MERGE")
            }
        case .add:
            if patch.applyTo == .routeConfiguration {
                report(
                    .error, FindingCode.addOperation, "\(path()).patch.operation",
                    "ADD has no effect on \(patch.applyTo.rawValue)", hint: "use MERGE")
            }
        case .remove:
            if patch.applyTo == .routeConfiguration {
                report(
                    .error, FindingCode.removeOperation, "\(path()).patch.operation",
                    "REMOVE has no effect on \(patch.applyTo.rawValue)")
            }
        default:
            break
        }
        if !hasPriority, [.insertBefore, .insertAfter, .replace, .merge, .remove].contains(patch.operation) {
            report(
                .warning, FindingCode.relativeOperation, "\(path()).patch.operation",
                "\(patch.operation.rawValue) depends on what other EnvoyFilters did before",
                hint: "give the EnvoyFilter a priority")
        }
    }

    private func objectMatch(_ patch: EnvoyFilter.Patch, _ path: @autoclosure Path) {
        switch patch.match {
        case .listener(let match):
            let allowed: [EnvoyFilter.ApplyTo] = [
                .listener, .filterChain, .networkFilter, .httpFilter, .listenerFilter,
            ]
            if !allowed.contains(patch.applyTo), patch.applyTo != .invalid {
                error("\(path()).match.listener", "\(patch.applyTo.rawValue) cannot be matched by a listener")
            }
            if !match.subFilterName.isEmpty {
                if match.filterName.isEmpty {
                    error("\(path()).match.listener.filterChain.filter", "the filter match has no name")
                } else if patch.applyTo != .httpFilter {
                    error(
                        "\(path()).match.listener.filterChain.filter.subFilter",
                        "subFilter is for applyTo HTTP_FILTER only")
                } else if match.filterName != "envoy.filters.network.http_connection_manager" {
                    error(
                        "\(path()).match.listener.filterChain.filter.name",
                        "a subFilter stands in envoy.filters.network.http_connection_manager only")
                }
            }
        case .routeConfiguration:
            let allowed: [EnvoyFilter.ApplyTo] = [.routeConfiguration, .virtualHost, .httpRoute]
            if !allowed.contains(patch.applyTo), patch.applyTo != .invalid {
                error("\(path()).match.routeConfiguration", "\(patch.applyTo.rawValue) cannot be matched by a route")
            }
        case .cluster:
            if patch.applyTo != .cluster, patch.applyTo != .invalid {
                error("\(path()).match.cluster", "\(patch.applyTo.rawValue) cannot be matched by a cluster")
            }
        case nil:
            break
        }
        if patch.applyTo == .networkFilter, patch.operation == .merge || patch.operation == .replace {
            if case .listener(let match) = patch.match, !match.filterName.isEmpty { return }
            warning(
                "\(path()).match", "\(patch.operation.rawValue) of NETWORK_FILTER names no filter and so meets all",
                hint: "set match.listener.filterChain.filter.name, such as "
                    + "envoy.filters.network.http_connection_manager")
        }
    }

    // MARK: Telemetry and ProxyConfig

    func telemetry(_ spec: Telemetry) {
        selector(spec.selector, "spec.selector.matchLabels")
        func providers(_ names: [String], _ path: @autoclosure Path) {
            for (index, name) in names.enumerated() where name.isEmpty {
                error("\(path()).providers[\(index)]", "the provider has no name")
            }
        }
        if spec.tracing.count > 1 { warning("spec.tracing[1]", "only the first tracing block is used for each mode") }
        for (index, tracing) in spec.tracing.enumerated() {
            let path = { "spec.tracing[\(index)]" }
            providers(tracing.providers, path())
            if tracing.providers.count > 1 { warning("\(path()).providers", "only the first provider is used") }
            percentage(tracing.randomSamplingPercentage, "\(path()).randomSamplingPercentage", smallest: 0)
            for tag in tracing.customTags.keys.sorted() {
                let outer = path()
                let path = { "\(outer).customTags[\"\(tag)\"]" }
                if tag.isEmpty { error(path(), "a custom tag has no name") }
                switch tracing.customTags[tag] {
                case .literal(let text), .formatter(let text):
                    if text.isEmpty { error(path(), "the custom tag has no value") }
                case .environment(let name, _), .header(let name, _):
                    if name.isEmpty { error(path(), "the custom tag has no name to read from") }
                case nil: break
                }
            }
        }
        for (index, metrics) in spec.metrics.enumerated() {
            let path = { "spec.metrics[\(index)]" }
            providers(metrics.providers, path())
            duration(metrics.reportingInterval, "\(path()).reportingInterval")
            for (index, override) in metrics.overrides.enumerated() {
                for name in override.tagOverrides.keys.sorted() {
                    guard let tag = override.tagOverrides[name] else { continue }
                    let tagPath = { "\(path()).overrides[\(index)].tagOverrides[\"\(name)\"]" }
                    if tag.operation == "UPSERT", tag.value.isEmpty {
                        error(tagPath(), "UPSERT needs a value", hint: "use operation REMOVE to drop the tag")
                    } else if tag.operation == "REMOVE", !tag.value.isEmpty {
                        error(tagPath(), "REMOVE cannot have a value")
                    }
                }
            }
        }
        for (index, logging) in spec.accessLogging.enumerated() {
            providers(logging.providers, "spec.accessLogging[\(index)]")
        }
    }

    func proxyConfig(_ spec: ProxyConfigResource) {
        selector(spec.selector, "spec.selector.matchLabels")
        if let concurrency = spec.concurrency, concurrency < 0 {
            error("spec.concurrency", "concurrency is negative", hint: "use 0 for one worker per core")
        }
        for name in spec.environmentVariables.keys.sorted() where name.isEmpty {
            error("spec.environmentVariables", "a variable has no name")
        }
    }
}
