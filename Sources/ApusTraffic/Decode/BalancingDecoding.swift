internal import ApusAPI
internal import SwiftProtobuf

// How a cluster chooses among its hosts.
extension ClusterConfig {
    struct Policy {
        var base: LoadBalancingPolicy
        var weighsLocalities = false
        var hashesHostname = false
        var options = BalancingOptions()
    }

    static func policy(_ message: Envoy_Config_Cluster_V3_Cluster) throws(Refusal) -> Policy {
        if message.hasLoadBalancingPolicy {
            return try at("load_balancing_policy") { () throws(Refusal) in try policy(message.loadBalancingPolicy) }
        }
        var result: Policy
        switch message.lbPolicy {
        case .roundRobin:
            result = Policy(base: .roundRobin)
            if message.roundRobinLbConfig.hasSlowStartConfig {
                result.options.slowStart = try at("round_robin_lb_config.slow_start_config") { () throws(Refusal) in
                    try SlowStart(message.roundRobinLbConfig.slowStartConfig)
                }
            }
        case .leastRequest:
            let config = message.leastRequestLbConfig
            result = Policy(
                base: try leastRequest(
                    choices: config.hasChoiceCount ? config.choiceCount.value : nil,
                    bias: config.hasActiveRequestBias ? config.activeRequestBias.defaultValue : nil))
            if config.hasSlowStartConfig {
                result.options.slowStart = try at("least_request_lb_config.slow_start_config") { () throws(Refusal) in
                    try SlowStart(config.slowStartConfig)
                }
            }
        case .random: result = Policy(base: .random)
        case .ringHash:
            let config = message.ringHashLbConfig
            guard config.hashFunction == .xxHash else {
                throw Refusal.unsupported("ring_hash_lb_config.hash_function", "this hash function")
            }
            result = Policy(
                base: try ringHash(
                    config.hasMinimumRingSize ? config.minimumRingSize.value : nil,
                    config.hasMaximumRingSize ? config.maximumRingSize.value : nil))
        case .maglev:
            result = Policy(
                base: try maglev(message.maglevLbConfig.hasTableSize ? message.maglevLbConfig.tableSize.value : nil))
        case .clusterProvided: result = Policy(base: .clusterProvided)
        case .loadBalancingPolicyConfig: throw Refusal("load_balancing_policy", "missing")
        case .UNRECOGNIZED: throw Refusal("lb_policy", "unknown value")
        }
        let common = message.commonLbConfig
        switch common.localityConfigSpecifier {
        case .localityWeightedLbConfig: result.weighsLocalities = true
        // Without a local cluster, which this proxy has not, Envoy does not prefer zones either.
        case .zoneAwareLbConfig(let zones): result.options.failsInPanic = zones.failTrafficOnPanic
        case nil: break
        }
        if common.hasConsistentHashingLbConfig {
            result.hashesHostname = common.consistentHashingLbConfig.useHostnameForHashing
            result.options.hashBalanceFactor = try at("common_lb_config.consistent_hashing_lb_config") {
                () throws(Refusal) in
                try balanceFactor(
                    common.consistentHashingLbConfig.hasHashBalanceFactor
                        ? common.consistentHashingLbConfig.hashBalanceFactor.value : nil)
            }
        }
        return result
    }

    /// The first policy of the list that is known, as the field's contract says.
    private static func policy(_ message: Envoy_Config_Cluster_V3_LoadBalancingPolicy) throws(Refusal) -> Policy {
        var unknown: [String] = []
        for (index, entry) in message.policies.enumerated() {
            let any = entry.typedExtensionConfig.typedConfig
            let found = try at("policies[\(index)]") { () throws(Refusal) -> Policy? in
                switch Packed.typeName(any) {
                case "envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin":
                    let config = try Packed.unpack(
                        any, as: Envoy_Extensions_LoadBalancingPolicies_RoundRobin_V3_RoundRobin.self)
                    var result = Policy(base: .roundRobin)
                    read(config.localityLbConfig, &result)
                    if config.hasSlowStartConfig {
                        result.options.slowStart = try at("slow_start_config") { () throws(Refusal) in
                            try SlowStart(config.slowStartConfig)
                        }
                    }
                    return result
                case "envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest":
                    let config = try Packed.unpack(
                        any, as: Envoy_Extensions_LoadBalancingPolicies_LeastRequest_V3_LeastRequest.self)
                    var result = Policy(
                        base: try leastRequest(
                            choices: config.hasChoiceCount ? config.choiceCount.value : nil,
                            bias: config.hasActiveRequestBias ? config.activeRequestBias.defaultValue : nil))
                    read(config.localityLbConfig, &result)
                    if config.hasSlowStartConfig {
                        result.options.slowStart = try at("slow_start_config") { () throws(Refusal) in
                            try SlowStart(config.slowStartConfig)
                        }
                    }
                    switch config.selectionMethod {
                    case .nChoices: break
                    case .fullScan: result.options.scansAllHosts = true
                    case .UNRECOGNIZED: throw Refusal("selection_method", "unknown value")
                    }
                    return result
                case "envoy.extensions.load_balancing_policies.random.v3.Random":
                    let config = try Packed.unpack(
                        any, as: Envoy_Extensions_LoadBalancingPolicies_Random_V3_Random.self)
                    var result = Policy(base: .random)
                    read(config.localityLbConfig, &result)
                    return result
                case "envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash":
                    let config = try Packed.unpack(
                        any, as: Envoy_Extensions_LoadBalancingPolicies_RingHash_V3_RingHash.self)
                    guard config.hashFunction != .murmurHash2 else {
                        throw Refusal.unsupported("hash_function", "this hash function")
                    }
                    var result = Policy(
                        base: try ringHash(
                            config.hasMinimumRingSize ? config.minimumRingSize.value : nil,
                            config.hasMaximumRingSize ? config.maximumRingSize.value : nil),
                        weighsLocalities: config.hasLocalityWeightedLbConfig,
                        hashesHostname: config.consistentHashingLbConfig.useHostnameForHashing)
                    result.options.hashBalanceFactor = try at("consistent_hashing_lb_config") { () throws(Refusal) in
                        try balanceFactor(
                            config.consistentHashingLbConfig.hasHashBalanceFactor
                                ? config.consistentHashingLbConfig.hashBalanceFactor.value : nil)
                    }
                    return result
                case "envoy.extensions.load_balancing_policies.maglev.v3.Maglev":
                    let config = try Packed.unpack(
                        any, as: Envoy_Extensions_LoadBalancingPolicies_Maglev_V3_Maglev.self)
                    var result = Policy(
                        base: try maglev(config.hasTableSize ? config.tableSize.value : nil),
                        weighsLocalities: config.hasLocalityWeightedLbConfig,
                        hashesHostname: config.consistentHashingLbConfig.useHostnameForHashing)
                    result.options.hashBalanceFactor = try at("consistent_hashing_lb_config") { () throws(Refusal) in
                        try balanceFactor(
                            config.consistentHashingLbConfig.hasHashBalanceFactor
                                ? config.consistentHashingLbConfig.hashBalanceFactor.value : nil)
                    }
                    return result
                case let type:
                    unknown.append(type)
                    return nil
                }
            }
            if let found { return found }
        }
        throw Refusal.unsupported("policies", unknown.isEmpty ? "an empty list" : unknown.joined(separator: ", "))
    }

    private static func read(
        _ config: Envoy_Extensions_LoadBalancingPolicies_Common_V3_LocalityLbConfig, _ result: inout Policy
    ) {
        switch config.localityConfigSpecifier {
        case .localityWeightedLbConfig: result.weighsLocalities = true
        case .zoneAwareLbConfig(let zones): result.options.failsInPanic = zones.failTrafficOnPanic
        case nil: break
        }
    }

    private static func balanceFactor(_ value: UInt32?) throws(Refusal) -> UInt32? {
        guard let value else { return nil }
        guard value >= 100 else { throw Refusal("hash_balance_factor", "less than 100") }
        return value
    }

    private static func leastRequest(choices: UInt32?, bias: Double?) throws(Refusal) -> LoadBalancingPolicy {
        let choices = choices ?? 2
        guard choices >= 2 else { throw Refusal("choice_count", "must be at least 2") }
        let bias = bias ?? 1
        guard bias.isFinite, bias >= 0 else { throw Refusal("active_request_bias", "must not be negative") }
        return .leastRequest(choices: Int(min(choices, 1024)), activeRequestBias: bias)
    }

    private static func ringHash(_ least: UInt64?, _ most: UInt64?) throws(Refusal) -> LoadBalancingPolicy {
        let limit: UInt64 = 8 << 20
        let most = most ?? limit
        let least = least ?? min(1024, most)
        guard most <= limit else { throw Refusal("maximum_ring_size", "greater than \(limit)") }
        guard least >= 1, least <= most else { throw Refusal("minimum_ring_size", "not from 1 to the maximum") }
        return .ringHash(minSize: Int(least), maxSize: Int(most))
    }

    private static func maglev(_ size: UInt64?) throws(Refusal) -> LoadBalancingPolicy {
        let size = size ?? 65537
        guard size <= 5_000_011 else { throw Refusal("table_size", "greater than 5000011") }
        // The walk through the table only reaches every slot of a prime number of them.
        var divisor: UInt64 = 2
        var isPrime = size >= 2
        while isPrime, divisor * divisor <= size {
            if size % divisor == 0 { isPrime = false }
            divisor += 1
        }
        guard isPrime else { throw Refusal("table_size", "not a prime number") }
        return .maglev(tableSize: Int(size))
    }
}

extension SlowStart {
    init(_ message: Envoy_Config_Cluster_V3_Cluster.SlowStartConfig) throws(Refusal) {
        try self.init(
            message.hasSlowStartWindow ? message.slowStartWindow : nil,
            aggression: message.hasAggression ? message.aggression.defaultValue : nil,
            percent: message.hasMinWeightPercent ? message.minWeightPercent.value : nil)
    }

    init(_ message: Envoy_Extensions_LoadBalancingPolicies_Common_V3_SlowStartConfig) throws(Refusal) {
        try self.init(
            message.hasSlowStartWindow ? message.slowStartWindow : nil,
            aggression: message.hasAggression ? message.aggression.defaultValue : nil,
            percent: message.hasMinWeightPercent ? message.minWeightPercent.value : nil)
    }

    private init(
        _ window: Google_Protobuf_Duration?, aggression: Double?, percent: Double?
    ) throws(Refusal) {
        let aggression = aggression ?? 1
        guard aggression.isFinite, aggression > 0 else { throw Refusal("aggression", "must be greater than 0") }
        let percent = percent ?? 10
        guard percent >= 0, percent <= 100 else { throw Refusal("min_weight_percent", "not a percentage") }
        self.init(
            window: try at("slow_start_window") { () throws(Refusal) in try window?.value() ?? .zero },
            aggression: aggression, minWeightPercent: percent)
    }
}
