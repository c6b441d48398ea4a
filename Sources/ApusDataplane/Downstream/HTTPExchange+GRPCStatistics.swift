internal import ApusTraffic
internal import NIOCore

/// What the gRPC statistics filter counts of one call.
internal struct GRPCCount {
    let scope: StatisticsScope<GRPCStats>
    private var requests = GRPCFrameCounter()
    private var responses = GRPCFrameCounter()

    init(_ scope: StatisticsScope<GRPCStats>) { self.scope = scope }

    mutating func request(_ data: ByteBuffer) {
        let before = requests.count
        data.withUnsafeReadableBytes { requests.feed($0) }
        scope.stats.requestMessages += requests.count - before
    }

    mutating func response(_ data: ByteBuffer) {
        let before = responses.count
        data.withUnsafeReadableBytes { responses.feed($0) }
        scope.stats.responseMessages += responses.count - before
    }

    /// - Parameter status: nil: the answer says none, and is not counted.
    func status(_ status: UInt32?) {
        if let status { scope.stats.count(status) }
    }
}

extension HTTPExchange {
    func startGRPCStatistics(_ key: Slot) {
        if case .disabled? = override(key) { return }
        guard request.isGRPC, case .forward(_, let choice)? = decision?.outcome else { return }
        // Only clusters that exist: a name may come from a header.
        guard let name = worker.configuration.cluster(named: choice.name)?.config.statName else { return }
        grpcCount = GRPCCount(worker.scope("cluster.\(name).grpc", GRPCStats.self))
        if body.readableBytes > 0 { grpcCount?.request(body) }
    }
}
