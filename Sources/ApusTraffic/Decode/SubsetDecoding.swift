internal import ApusAPI
internal import SwiftProtobuf

extension MetadataValue {
    /// The decoder of messages limits how deep a value is nested.
    init(_ value: Google_Protobuf_Value) {
        switch value.kind {
        case .nullValue, nil: self = .null
        case .stringValue(let text): self = .string(text)
        case .numberValue(let number): self = .number(number)
        case .boolValue(let bool): self = .bool(bool)
        case .listValue(let list): self = .list(list.values.map { MetadataValue($0) })
        case .structValue(let object): self = .object(object.fields.mapValues { MetadataValue($0) })
        }
    }

    static func fields(_ object: Google_Protobuf_Struct) -> [String: MetadataValue] {
        object.fields.mapValues { MetadataValue($0) }
    }
}

extension MetadataCriteria {
    /// The `envoy.lb` part; nil: there is none.
    static func decode(_ metadata: Envoy_Config_Core_V3_Metadata) -> MetadataCriteria? {
        guard let object = metadata.filterMetadata["envoy.lb"] else { return nil }
        var values = MetadataValue.fields(object)
        var alternatives: [MetadataCriteria] = []
        // Only a cluster that asks for it reads the list; for the others it is a key like any other.
        if case .list(let list)? = values["fallback_list"] {
            for case .object(let fields) in list { alternatives.append(MetadataCriteria(fields)) }
            values["fallback_list"] = nil
        }
        return MetadataCriteria(values, alternatives: alternatives)
    }
}

extension SubsetConfig {
    init(_ message: Envoy_Config_Cluster_V3_Cluster.LbSubsetConfig) throws(Refusal) {
        self.init()
        switch message.fallbackPolicy {
        case .noFallback: fallback = .none
        case .anyEndpoint: fallback = .anyEndpoint
        case .defaultSubset: fallback = .defaultSubset
        case .UNRECOGNIZED: throw Refusal("fallback_policy", "unknown value")
        }
        defaultSubset = MetadataValue.fields(message.defaultSubset)
        selectors = try each("subset_selectors", message.subsetSelectors) { selector throws(Refusal) in
            guard !selector.keys.isEmpty else { throw Refusal("keys", "empty") }
            let fallback: Fallback?
            switch selector.fallbackPolicy {
            case .notDefined: fallback = nil
            case .noFallback: fallback = Fallback.none
            case .anyEndpoint: fallback = .anyEndpoint
            case .defaultSubset: fallback = .defaultSubset
            case .keysSubset:
                let keys = Set(selector.fallbackKeysSubset)
                guard !keys.isEmpty else {
                    throw Refusal("fallback_keys_subset", "KEYS_SUBSET needs keys to fall back to")
                }
                guard keys.isStrictSubset(of: selector.keys) else {
                    throw Refusal("fallback_keys_subset", "must be a part of the keys of the selector, and not all")
                }
                fallback = .keys(keys.sorted())
            case .UNRECOGNIZED: throw Refusal("fallback_policy", "unknown value")
            }
            if selector.fallbackPolicy != .keysSubset, !selector.fallbackKeysSubset.isEmpty {
                throw Refusal("fallback_keys_subset", "only with KEYS_SUBSET")
            }
            if selector.singleHostPerSubset, Set(selector.keys).count != 1 {
                throw Refusal("single_host_per_subset", "only for a selector of one key")
            }
            return Selector(keys: selector.keys, fallback: fallback, hasSingleHosts: selector.singleHostPerSubset)
        }
        weighsLocalities = message.localityWeightAware
        scalesLocalityWeights = message.scaleLocalityWeight
        if message.scaleLocalityWeight, !message.localityWeightAware {
            throw Refusal("scale_locality_weight", "only with locality_weight_aware")
        }
        usesAnyInPanic = message.panicModeAny
        matchesListElements = message.listAsAny
        switch message.metadataFallbackPolicy {
        case .metadataNoFallback: break
        case .fallbackList: usesFallbackList = true
        case .UNRECOGNIZED: throw Refusal("metadata_fallback_policy", "unknown value")
        }
    }
}
