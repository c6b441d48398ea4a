internal import ApusCore
internal import ApusModel

extension Checks {
    func virtualService(_ spec: VirtualService) {
        gatewayNames(spec.gateways, "spec.gateways")
        exportTo(spec.exportTo)
        if spec.isDelegate {
            if !spec.gateways.isEmpty {
                error(
                    "spec.gateways", "a VirtualService without hosts is a delegate and cannot have gateways",
                    hint: "name hosts, or remove gateways")
            }
            if !spec.tls.isEmpty { error("spec.tls", "a delegate VirtualService can have http rules only") }
            if !spec.tcp.isEmpty { error("spec.tcp", "a delegate VirtualService can have http rules only") }
        }
        hosts(spec)
        if spec.http.isEmpty, spec.tls.isEmpty, spec.tcp.isEmpty {
            error("spec", "the VirtualService has no http, tls or tcp rule")
        }
        for (index, rule) in spec.http.enumerated() { http(rule, "spec.http[\(index)]", isDelegate: spec.isDelegate) }
        let hostSet = HostSet(spec.hosts)
        for (index, rule) in spec.tls.enumerated() { tls(rule, hostSet, "spec.tls[\(index)]") }
        for (index, rule) in spec.tcp.enumerated() { tcp(rule, "spec.tcp[\(index)]") }
        reachability(spec.http)
    }

    private func hosts(_ spec: VirtualService) {
        let isForMesh = spec.gateways.isEmpty || spec.gateways.contains("mesh")
        let all = HostSet(spec.hosts)
        var seen: Set<String> = []
        for (index, host) in spec.hosts.enumerated() {
            let path = { "spec.hosts[\(index)]" }
            if host == "*" {
                if isForMesh {
                    error(
                        path(), "the host * cannot be bound to the mesh",
                        hint: "name the hosts, or name a gateway other than mesh")
                }
            } else if IPAddress(host) == nil {
                wildcardName(host, "the host", path())
            }
            if !seen.insert(host.lowercased()).inserted {
                error(path(), "the host \"\(host)\" stands twice")
            } else if let other = all.wildcard(above: host.lowercased()) {
                error(path(), "the host \"\(host)\" overlaps with \"\(other)\"")
            }
        }
    }

    // MARK: HTTP

    private func http(_ rule: HTTPRule, _ path: @autoclosure Path, isDelegate: Bool) {
        let actions = [
            !rule.route.isEmpty, rule.redirect != nil, rule.directResponse != nil,
        ].count(where: { $0 })
        if rule.delegate != nil {
            if !rule.route.isEmpty { error("\(path()).route", "a rule with a delegate cannot have a route") }
            if rule.redirect != nil { error("\(path()).redirect", "a rule with a delegate cannot have a redirect") }
            if isDelegate {
                error("\(path()).delegate", "a delegate cannot have a delegate", hint: "one level only is followed")
            }
            if let name = rule.delegate?.name, name.isEmpty {
                error("\(path()).delegate", "the delegate has no name")
            }
        } else if actions == 0 {
            error(path(), "the rule has no route, redirect, directResponse or delegate")
        }
        if actions > 1 { error(path(), "the rule has more than one of route, redirect and directResponse") }
        if rule.redirect != nil || rule.directResponse != nil {
            let action = rule.redirect != nil ? "redirect" : "directResponse"
            if rule.fault != nil { error("\(path()).fault", "a rule with a \(action) cannot have a fault") }
            if rule.rewrite != nil { error("\(path()).rewrite", "a rule with a \(action) cannot have a rewrite") }
        }
        for (index, match) in rule.match.enumerated() { httpMatch(match, "\(path()).match[\(index)]") }
        weights(rule.route.map(\.weight), "\(path()).route")
        for (index, target) in rule.route.enumerated() {
            destination(target.destination, "\(path()).route[\(index)].destination")
            headers(target.headers, "\(path()).route[\(index)].headers")
        }
        duration(
            rule.timeout, "\(path()).timeout", hint: "leave it out: no time-out is the default")
        if let retries = rule.retries { self.retries(retries, "\(path()).retries") }
        if let fault = rule.fault { self.fault(fault, "\(path()).fault") }
        if let redirect = rule.redirect { self.redirect(redirect, "\(path()).redirect") }
        if let response = rule.directResponse { directResponse(response, "\(path()).directResponse") }
        if let rewrite = rule.rewrite { self.rewrite(rewrite, "\(path()).rewrite") }
        if let policy = rule.corsPolicy { cors(policy, "\(path()).corsPolicy") }
        headers(rule.headers, "\(path()).headers")
        if let mirror = rule.mirror {
            destination(mirror, "\(path()).mirror")
            if !rule.mirrors.isEmpty {
                error("\(path()).mirrors", "the rule has both mirror and mirrors", hint: "move mirror into mirrors")
            }
        }
        percentage(rule.mirrorPercentage, "\(path()).mirrorPercentage", smallest: 0)
        for (index, mirror) in rule.mirrors.enumerated() {
            destination(mirror.destination, "\(path()).mirrors[\(index)].destination")
            percentage(mirror.percentage, "\(path()).mirrors[\(index)].percentage", smallest: 0)
        }
    }

    private func httpMatch(_ match: HTTPMatch, _ path: @autoclosure Path) {
        func plain(_ value: StringMatch?, _ field: String) {
            switch value {
            case .exact(let text), .prefix(let text):
                if text.isEmpty { error("\(path()).\(field)", "\(field) is matched with an empty string") }
            case .regex(let text):
                if text.isEmpty {
                    error("\(path()).\(field)", "\(field) is matched with an empty string")
                } else {
                    regex(text, "\(path()).\(field).regex")
                }
            case .present:
                error(
                    "\(path()).\(field)", "\(field) has none of exact, prefix and regex",
                    hint: "give it one, or remove it")
            case nil: break
            }
        }
        plain(match.uri, "uri")
        plain(match.scheme, "scheme")
        plain(match.method, "method")
        plain(match.authority, "authority")
        func map(_ values: [String: StringMatch], _ field: String) {
            for key in values.keys.sorted() {
                if key.isEmpty {
                    error("\(path()).\(field)", "\(field) has an empty name")
                } else if field != "queryParams", !key.hasPrefix("@request.auth.claims"),
                    !DNSName.isToken(key.hasPrefix(":") ? String(key.dropFirst()) : key)
                {
                    error("\(path()).\(field)[\"\(key)\"]", "\"\(key)\" is not the name of a header")
                }
                if case .regex(let text) = values[key], text != "*" {
                    regex(text, "\(path()).\(field)[\"\(key)\"].regex")
                }
            }
        }
        map(match.headers, "headers")
        map(match.withoutHeaders, "withoutHeaders")
        map(match.queryParams, "queryParams")
        port(match.port, "\(path()).port")
        labels(match.sourceLabels, "\(path()).sourceLabels")
        gatewayNames(match.gateways, "\(path()).gateways")
    }

    private func destination(_ destination: Destination, _ path: @autoclosure Path) {
        if destination.host.isEmpty {
            error("\(path()).host", "the destination has no host")
        } else if destination.host == "*" {
            error("\(path()).host", "the destination's host cannot be *", hint: "name one service")
        } else if IPAddress(destination.host) == nil {
            // A wildcard is allowed for a ServiceEntry with a wildcard host.
            if let problem = DNSName.wildcardProblem(destination.host) {
                error("\(path()).host", "the host \"\(destination.host)\" is not a DNS name: \(problem)")
            }
        }
        if !destination.subset.isEmpty, !DNSName.isLabel(destination.subset) {
            error("\(path()).subset", "\"\(destination.subset)\" cannot be the name of a subset")
        }
        port(destination.port, "\(path()).port")
    }

    private func weights(_ weights: [Int32], _ path: @autoclosure Path) {
        for (index, weight) in weights.enumerated() where weight < 0 {
            error("\(path())[\(index)].weight", "the weight \(weight) is negative")
        }
        let total = weights.reduce(into: Int64(0)) { $0 += Int64(max(0, $1)) }
        if weights.count > 1, total == 0 {
            error(path(), "the weights of the destinations add up to 0", hint: "give at least one a weight")
        }
        if total > Int64(UInt32.max) { error(path(), "the weights of the destinations add up to more than 4294967295") }
    }

    func percentage(_ value: Double?, _ path: @autoclosure Path, smallest: Double = 0.0001) {
        guard let value else { return }
        if value < 0 || value > 100 {
            let text = value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : "\(value)"
            error(path(), "\(text) is not a percentage", hint: "use 0 to 100")
        } else if value != 0, value < smallest {
            error(path(), "the percentage \(value) is finer than 0.0001", hint: "use 0, or 0.0001 to 100")
        }
    }

    func retries(_ retries: HTTPRetry, _ path: @autoclosure Path) {
        if retries.attempts < 0 { error("\(path()).attempts", "attempts is negative") }
        if retries.attempts == 0,
            retries.perTryTimeout != nil || retries.retryOn?.isEmpty == false || retries.retryRemoteLocalities != nil
        {
            error(
                "\(path()).attempts", "attempts is 0, which turns retries off, but other retry fields are set",
                hint: "give attempts, or remove the other fields")
        }
        duration(retries.perTryTimeout, "\(path()).perTryTimeout", hint: "leave it out: no time-out is the default")
        duration(retries.backoff, "\(path()).backoff")
        guard let retryOn = retries.retryOn, !retryOn.isEmpty else { return }
        for token in retryOn.split(separator: ",", omittingEmptySubsequences: false) {
            if let code = Int(token) {
                if !RetryCondition.isRegisteredStatus(code) {
                    error("\(path()).retryOn", "retryOn has \(code), which is no registered HTTP status")
                }
            } else if !RetryCondition.names.contains(String(token)) {
                let trimmed = String(token.filter { $0 != " " })
                let hint =
                    RetryCondition.names.contains(trimmed)
                    ? "write the list without spaces"
                    : Suggestion.closest(to: trimmed, among: RetryCondition.names).map { "did you mean \($0)?" }
                error("\(path()).retryOn", "retryOn has the unknown condition \"\(token)\"", hint: hint)
            }
        }
    }

    private func fault(_ fault: HTTPFault, _ path: @autoclosure Path) {
        if fault.delay == nil, fault.abort == nil { error(path(), "the fault has neither delay nor abort") }
        if let delay = fault.delay {
            if delay.fixedDelay == nil {
                error("\(path()).delay", "the delay has no fixedDelay")
            }
            duration(delay.fixedDelay, "\(path()).delay.fixedDelay", hint: "give at least 1ms")
            percentage(delay.percentage, "\(path()).delay.percentage")
        }
        if let abort = fault.abort {
            percentage(abort.percentage, "\(path()).abort.percentage")
            switch abort.kind {
            case .httpStatus(let status):
                if status < 200 || status > 599 {
                    error("\(path()).abort.httpStatus", "httpStatus \(status) is not in 200 to 599")
                }
            case .grpcStatus(let name):
                if !RetryCondition.grpcStatusNames.contains(name) {
                    error(
                        "\(path()).abort.grpcStatus", "grpcStatus \"\(name)\" is unknown",
                        hint: Suggestion.closest(to: name, among: RetryCondition.grpcStatusNames).map {
                            "did you mean \($0)?"
                        })
                }
            case nil:
                warning("\(path()).abort", "the abort has no httpStatus or grpcStatus and does nothing")
            }
        }
    }

    private func redirect(_ redirect: HTTPRedirect, _ path: @autoclosure Path) {
        if redirect.uri == nil, redirect.prefixRewrite == nil, redirect.authority == nil, redirect.scheme == nil,
            redirect.port == nil
        {
            error(path(), "the redirect changes nothing", hint: "give it a uri, authority, scheme or port")
        }
        if redirect.uri != nil, redirect.prefixRewrite != nil {
            error("\(path()).prefixRewrite", "the redirect has both uri and prefixRewrite", hint: "keep one of them")
        }
        if let scheme = redirect.scheme, scheme != "http", scheme != "https" {
            error("\(path()).scheme", "the scheme \"\(scheme)\" is not http or https")
        }
        if let code = redirect.redirectCode, ![301, 302, 303, 307, 308].contains(code) {
            error(
                "\(path()).redirectCode", "\(code) is not the status of a redirect",
                hint: "use 301, 302, 303, 307 or 308")
        }
        if case .number(let number) = redirect.port { port(number, "\(path()).port") }
    }

    private func directResponse(_ response: HTTPDirectResponse, _ path: @autoclosure Path) {
        if response.status < 200 || response.status > 599 {
            error("\(path()).status", "status \(response.status) is not in 200 to 599")
        }
        let size: Int
        switch response.body {
        case .string(let text): size = text.utf8.count
        case .bytes(let bytes): size = bytes.count
        case nil: size = 0
        }
        if size > 1 << 20 {
            error("\(path()).body", "the body has \(size) bytes, more than 1 MiB")
        } else if size > 100 << 10 {
            warning("\(path()).body", "the body has \(size) bytes, which every proxy keeps in memory")
        }
    }

    private func rewrite(_ rewrite: HTTPRewrite, _ path: @autoclosure Path) {
        if rewrite.uri == nil, rewrite.authority == nil, rewrite.uriRegexRewrite == nil {
            error(path(), "the rewrite has none of uri, authority and uriRegexRewrite")
        }
        guard let expression = rewrite.uriRegexRewrite else { return }
        if rewrite.uri != nil {
            error(
                "\(path()).uriRegexRewrite", "the rewrite has both uri and uriRegexRewrite", hint: "keep one of them")
        }
        if expression.match.isEmpty || expression.rewrite.isEmpty {
            error("\(path()).uriRegexRewrite", "uriRegexRewrite needs both match and rewrite")
        } else {
            regexRewrite(expression, "\(path()).uriRegexRewrite")
        }
    }

    func headers(_ headers: Headers?, _ path: @autoclosure Path) {
        guard let headers else { return }
        operations(headers.request, "\(path()).request", isRequest: true)
        operations(headers.response, "\(path()).response", isRequest: false)
    }

    private func operations(_ operations: HeaderOperations, _ path: @autoclosure Path, isRequest: Bool) {
        var authorities = 0
        for (field, values) in [("set", operations.set), ("add", operations.add)] {
            for name in values.keys.sorted() {
                let lower = name.lowercased()
                if lower == ":authority" || lower == "host" || lower == "authority" { authorities += 1 }
                headerName(name, "\(path()).\(field)")
                let value = values[name] ?? ""
                if value.utf8.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }) {
                    error("\(path()).\(field)[\"\(name)\"]", "the value of \(name) has a control character")
                } else if let problem = SubstitutionFormat.problem(in: value) {
                    error(
                        "\(path()).\(field)[\"\(name)\"]", "the value of \(name) \(problem)",
                        hint: "write %% for a per cent sign")
                }
            }
        }
        for (index, name) in operations.remove.enumerated() { headerName(name, "\(path()).remove[\(index)]") }
        if isRequest, authorities > 1 {
            error(path(), "the authority is set more than once", hint: "keep one of host and :authority")
        }
    }

    private func headerName(_ name: String, _ path: @autoclosure Path) {
        if !DNSName.isToken(name.hasPrefix(":") ? String(name.dropFirst()) : name) {
            error(path(), "\"\(name)\" is not the name of a header")
        }
    }

    private func cors(_ policy: CORSPolicy, _ path: @autoclosure Path) {
        for (index, origin) in policy.allowOrigins.enumerated() {
            switch origin {
            case .exact(let text), .prefix(let text):
                if text.isEmpty { error("\(path()).allowOrigins[\(index)]", "the origin is empty") }
            case .regex(let text):
                if text.isEmpty {
                    error("\(path()).allowOrigins[\(index)]", "the origin is empty")
                } else {
                    regex(text, "\(path()).allowOrigins[\(index)].regex")
                }
            case .present: error("\(path()).allowOrigins[\(index)]", "the origin has none of exact, prefix and regex")
            }
        }
        let methods = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE", "*"]
        for (index, method) in policy.allowMethods.enumerated() where !methods.contains(method) {
            let hint = methods.contains(method.uppercased()) ? "write \(method.uppercased())" : nil
            error("\(path()).allowMethods[\(index)]", "the method \"\(method)\" is not supported", hint: hint)
        }
        for (index, name) in policy.allowHeaders.enumerated() where name != "*" {
            headerName(name, "\(path()).allowHeaders[\(index)]")
        }
        for (index, name) in policy.exposeHeaders.enumerated() where name != "*" {
            headerName(name, "\(path()).exposeHeaders[\(index)]")
        }
        if let age = policy.maxAge {
            duration(age, "\(path()).maxAge")
            if age >= .milliseconds(1), age.components.attoseconds != 0 {
                error("\(path()).maxAge", "maxAge is not in whole seconds")
            }
        }
    }

    // MARK: TLS and TCP

    private func tls(_ rule: TLSRule, _ hosts: HostSet, _ path: @autoclosure Path) {
        if rule.match.isEmpty { error(path(), "a tls rule needs a match with sniHosts") }
        for (index, match) in rule.match.enumerated() {
            let outer = path()
            let path = { "\(outer).match[\(index)]" }
            if match.sniHosts.isEmpty { error(path(), "a tls match needs sniHosts") }
            for (index, sni) in match.sniHosts.enumerated() {
                wildcardName(sni, "the SNI", "\(path()).sniHosts[\(index)]")
                if !hosts.covers(sni) {
                    error(
                        "\(path()).sniHosts[\(index)]", "the SNI \"\(sni)\" is not one of the VirtualService's hosts",
                        hint: "add it to hosts")
                }
            }
            layer4(match.destinationSubnets, match.port, match.sourceLabels, match.gateways, path())
        }
        routes(rule.route, path())
    }

    private func tcp(_ rule: TCPRule, _ path: @autoclosure Path) {
        for (index, match) in rule.match.enumerated() {
            layer4(
                match.destinationSubnets, match.port, match.sourceLabels, match.gateways,
                "\(path()).match[\(index)]")
            if !match.sourceSubnet.isEmpty { cidr(match.sourceSubnet, "\(path()).match[\(index)].sourceSubnet") }
        }
        routes(rule.route, path())
    }

    private func layer4(
        _ subnets: [String], _ port: UInt32?, _ source: [String: String], _ gateways: [String],
        _ path: @autoclosure Path
    ) {
        for (index, subnet) in subnets.enumerated() { cidr(subnet, "\(path()).destinationSubnets[\(index)]") }
        self.port(port, "\(path()).port")
        labels(source, "\(path()).sourceLabels")
        gatewayNames(gateways, "\(path()).gateways")
    }

    private func routes(_ routes: [RouteDestination], _ path: @autoclosure Path) {
        if routes.isEmpty { error(path(), "the rule has no route") }
        weights(routes.map(\.weight), "\(path()).route")
        for (index, route) in routes.enumerated() {
            destination(route.destination, "\(path()).route[\(index)].destination")
        }
    }
}
