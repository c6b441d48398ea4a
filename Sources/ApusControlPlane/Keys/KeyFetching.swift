package import ApusCompiler
internal import ApusIdentity
package import Logging

/// Keeps the keys of issuers that rules name: fetched when first asked for, again every 20 minutes (Istio's interval), and
/// sooner while they cannot be had. A set that was good stays until a newer one is.
package actor KeyFetching {
    package typealias Get = @Sendable (_ url: String) async throws -> [UInt8]
    package typealias Deliver = @Sendable (KeySets) async -> Void

    private let get: Get
    private let deliver: Deliver
    private let logger: Logger
    private let interval: Duration
    private let firstRetry: Duration
    private var held = KeySets()
    private var loops: [KeySource: Task<Void, Never>] = [:]

    /// Sources at one time: each has a connection now and then.
    package static let sourceLimit = 256

    package init(
        interval: Duration = .seconds(20 * 60), firstRetry: Duration = .seconds(1), logger: Logger,
        get: @escaping Get, deliver: @escaping Deliver
    ) {
        self.interval = interval
        self.firstRetry = firstRetry
        self.logger = logger
        self.get = get
        self.deliver = deliver
    }

    /// From now on these, and no others.
    package func follow(_ sources: Set<KeySource>) async {
        let wanted = Set(sources.sorted().prefix(Self.sourceLimit))
        if wanted.count < sources.count {
            logger.warning("keys are fetched from \(Self.sourceLimit) places only; tokens of the others are denied")
        }
        for (source, loop) in loops where !wanted.contains(source) {
            loop.cancel()
            loops[source] = nil
            held[source] = nil
        }
        for source in wanted where loops[source] == nil {
            loops[source] = Task { await self.keep(source) }
        }
    }

    package func stop() {
        for loop in loops.values { loop.cancel() }
        loops = [:]
    }

    private func keep(_ source: KeySource) async {
        var pause = firstRetry
        while !Task.isCancelled {
            do {
                let text = try await fetch(source)
                if Task.isCancelled { return }
                pause = firstRetry
                if held[source] != text {
                    held[source] = text
                    await deliver(held)
                }
                try? await Task.sleep(for: interval)
            } catch {
                if Task.isCancelled { return }
                logger.warning(
                    "the keys of an issuer of tokens cannot be had",
                    metadata: [
                        "url": "\(source.url)", "error": "\(error)",
                        "consequence": held[source] == nil ? "its tokens are denied" : "the keys known before stay",
                    ])
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, min(.seconds(60), interval))
            }
        }
    }

    private struct Unusable: Error, CustomStringConvertible { let description: String }

    private func fetch(_ source: KeySource) async throws -> String {
        var url = source.url
        if case .discovery(let issuer) = source {
            let document = JSONValue(parsing: try await get(url))?.object ?? [:]
            // OpenID Connect Discovery 1.0, section 4.3: a document of another issuer says nothing about this one.
            guard document["issuer"]?.string == issuer else { throw Unusable(description: "it names another issuer") }
            guard let place = document["jwks_uri"]?.string else { throw Unusable(description: "it has no jwks_uri") }
            url = place
        }
        let bytes = try await get(url)
        do { _ = try KeySet(parsing: bytes) } catch { throw Unusable(description: "\(error)") }
        return String(decoding: bytes, as: UTF8.self)
    }
}
