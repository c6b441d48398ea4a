internal import ApusModel

extension HTTPRule {
    /// One rule of a delegate under the rule that delegates to it (semantics 4.1, delegation); nil if some match block
    /// of the delegate fits no block of the root.
    init?(root: HTTPRule, delegate: HTTPRule) {
        guard let match = HTTPMatch.merged(root: root.match, delegate: delegate.match) else { return nil }
        self = delegate
        self.match = match
        name = joined(root.name, delegate.name)
        rewrite = delegate.rewrite ?? root.rewrite
        timeout = delegate.timeout ?? root.timeout
        retries = delegate.retries ?? root.retries
        fault = delegate.fault ?? root.fault
        mirror = delegate.mirror ?? root.mirror
        mirrorPercentage = delegate.mirrorPercentage ?? root.mirrorPercentage
        mirrors = delegate.mirrors.isEmpty ? root.mirrors : delegate.mirrors
        corsPolicy = delegate.corsPolicy ?? root.corsPolicy
        headers = delegate.headers ?? root.headers
        // A root's answer would stand beside the delegate's own action, and a rule has one.
        if delegate.route.isEmpty, delegate.redirect == nil {
            directResponse = delegate.directResponse ?? root.directResponse
        }
        self.delegate = nil
    }
}

extension HTTPMatch {
    /// One block for each pair that fits, or nil if a delegate's block has no partner. No blocks on one side mean that
    /// the other side's stand.
    fileprivate static func merged(root: [HTTPMatch], delegate: [HTTPMatch]) -> [HTTPMatch]? {
        if delegate.isEmpty { return root }
        if root.isEmpty { return delegate }
        var result: [HTTPMatch] = []
        for block in delegate {
            let partners = root.filter { block.fits($0) }
            if partners.isEmpty { return nil }
            result += partners.map { HTTPMatch(root: $0, delegate: block) }
        }
        return result
    }

    private func fits(_ root: HTTPMatch) -> Bool {
        guard ignoreUriCase == root.ignoreUriCase,
            lies(uri, within: root.uri), lies(scheme, within: root.scheme), lies(method, within: root.method),
            lies(authority, within: root.authority),
            lie(headers, within: root.headers), lie(withoutHeaders, within: root.withoutHeaders),
            lie(queryParams, within: root.queryParams)
        else { return false }
        if let port, let other = root.port, port != other { return false }
        if !root.sourceNamespace.isEmpty, sourceNamespace != root.sourceNamespace { return false }
        for (key, value) in sourceLabels {
            if let other = root.sourceLabels[key], other != value { return false }
        }
        if !gateways.isEmpty, !root.gateways.isEmpty, !Set(gateways).isSubset(of: root.gateways) { return false }
        return true
    }

    private init(root: HTTPMatch, delegate: HTTPMatch) {
        self = delegate
        name = joined(root.name, delegate.name)
        uri = delegate.uri ?? root.uri
        scheme = delegate.scheme ?? root.scheme
        method = delegate.method ?? root.method
        authority = delegate.authority ?? root.authority
        headers.merge(root.headers) { mine, _ in mine }
        withoutHeaders.merge(root.withoutHeaders) { mine, _ in mine }
        queryParams.merge(root.queryParams) { mine, _ in mine }
        port = delegate.port ?? root.port
        sourceLabels.merge(root.sourceLabels) { mine, _ in mine }
        if sourceNamespace.isEmpty { sourceNamespace = root.sourceNamespace }
        if gateways.isEmpty { gateways = root.gateways }
        if statPrefix.isEmpty { statPrefix = root.statPrefix }
    }
}

/// `root-delegate`, or whichever is given.
private func joined(_ root: String, _ delegate: String) -> String {
    root.isEmpty ? delegate : delegate.isEmpty ? root : "\(root)-\(delegate)"
}

private func lie(_ mine: [String: StringMatch], within root: [String: StringMatch]) -> Bool {
    mine.allSatisfy { lies($0.value, within: root[$0.key]) }
}

/// Whether everything the delegate's match accepts is accepted by the root's. Two expressions cannot be compared, so a
/// regular expression fits nothing.
private func lies(_ delegate: StringMatch?, within root: StringMatch?) -> Bool {
    guard let delegate, let root else { return true }
    switch (delegate, root) {
    case (.regex, _), (_, .regex): return false
    case (_, .present): return true
    case (.present, _): return false
    case (.exact(let mine), .exact(let theirs)): return mine == theirs
    case (.exact(let mine), .prefix(let theirs)), (.prefix(let mine), .prefix(let theirs)):
        return mine.hasPrefix(theirs)
    case (.prefix, .exact): return false
    }
}
