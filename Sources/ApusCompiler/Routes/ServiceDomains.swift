internal import ApusCore
internal import ApusMesh

/// The names under which clients may ask for a host (semantics 2.3).
struct Domains {
    /// In order of preference.
    var all: [String] = []
    /// Those of `all` that are short forms of a full name: a full name of another service beats them.
    var short: Set<String> = []
}

/// How a listener spells the hosts it is asked for.
struct DomainStyle {
    /// `<ns>.svc.cluster.local` of the client: within one namespace the bare name is enough.
    var clientDomain: String
    /// `cluster.local`.
    var meshDomain: String
    /// The client keeps the port in the host (explicit proxies, sockets, gRPC): write every name with it too.
    var withPort: Bool
    /// Several ports share the route configuration, so names without a port belong to port 80.
    var sharesPorts: Bool
}

enum ServiceDomains {
    static func domains(of service: Service, port: UInt32, _ style: DomainStyle) -> Domains {
        var result = Domains()
        for host in [service.host] + service.aliases {
            add(host.text, to: &result)
            if IPAddress(host.text) != nil { continue }
            add(host.text + ".", to: &result)
            for short in shortForms(of: host.text, style) {
                if !result.all.contains(short) { result.short.insert(short) }
                add(short, to: &result)
            }
        }
        for address in service.addresses where !address.contains("/") {
            guard let parsed = IPAddress(address), !parsed.isUnspecified else { continue }
            add(bracketed(address), to: &result)
        }
        if service.isHeadless, service.isKubernetes {
            for domain in result.all where !domain.hasPrefix("*") {
                if result.short.contains(domain) { result.short.insert("*." + domain) }
                add("*." + domain, to: &result)
            }
        }
        return withPorts(result, port: port, style)
    }

    /// A VirtualService's host that is no service: only as written.
    static func domains(ofHost host: HostName, port: UInt32, _ style: DomainStyle) -> Domains {
        var result = Domains()
        add(IPAddress(host.text) != nil ? bracketed(host.text) : host.text, to: &result)
        // `*` already means every port.
        return host.text == "*" ? result : withPorts(result, port: port, style)
    }

    private static func add(_ domain: String, to domains: inout Domains) {
        if !domains.all.contains(domain) { domains.all.append(domain) }
    }

    private static func bracketed(_ address: String) -> String {
        address.utf8.contains(UInt8(ascii: ":")) ? "[\(address)]" : address
    }

    /// `name.ns.svc.<domain>` shortens to `name.ns` and `name.ns.svc`, and to `name` for clients of the namespace.
    private static func shortForms(of host: String, _ style: DomainStyle) -> [String] {
        let suffix = ".svc." + style.meshDomain
        guard host.hasSuffix(suffix) else { return [] }
        let front = host.dropLast(suffix.count)
        let parts = front.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, !front.hasPrefix("*") else { return [] }
        if style.clientDomain == "\(parts[1])\(suffix)" {
            return [String(parts[0]), "\(front).svc", String(front)]
        }
        return [String(front), "\(front).svc"]
    }

    private static func withPorts(_ domains: Domains, port: UInt32, _ style: DomainStyle) -> Domains {
        guard style.withPort else { return domains }
        var result = Domains()
        for domain in domains.all {
            let full = "\(domain):\(port)"
            let isShort = domains.short.contains(domain)
            if !style.sharesPorts || port == 80 {
                result.all.append(domain)
                if isShort { result.short.insert(domain) }
            }
            result.all.append(full)
            if isShort { result.short.insert(full) }
        }
        return result
    }
}
