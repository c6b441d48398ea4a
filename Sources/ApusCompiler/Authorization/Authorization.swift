internal import ApusAPI
internal import ApusCore
internal import ApusModel
internal import SwiftProtobuf

/// The AuthorizationPolicies of one workload as a comparable value, and the RBAC filters they become (semantics 4.9):
/// one each for AUDIT, DENY and ALLOW, in this order, and none where nothing is to be judged.
struct Authorization: Hashable, Sendable {
    struct Policy: Hashable, Sendable {
        let key: ObjectKey
        let spec: AuthorizationPolicy
        /// Judged and counted only (`istio.io/dry-run`).
        let isDryRun: Bool
    }

    typealias RBAC = Envoy_Config_Rbac_V3_RBAC
    typealias HTTPFilter = HTTPConnectionManager.HTTPFilter
    typealias NetworkFilter = Envoy_Config_Listener_V3_Filter

    let policies: [Policy]
    /// The mesh's own first; identities of each of them are the same.
    let trustDomains: [String]

    init(_ objects: [ConfigObject], _ mesh: MeshConfig) {
        policies = objects.compactMap { object in
            guard case .authorizationPolicy(let spec) = object.spec else { return nil }
            let mayRehearse = spec.action == .allow || spec.action == .deny
            return Policy(
                key: object.key, spec: spec,
                isDryRun: mayRehearse && object.metadata.annotations["istio.io/dry-run"] == "true")
        }
        // Without policies the value must not tell meshes apart.
        trustDomains = policies.isEmpty ? [] : mesh.trustDomains
    }

    func requestFilters() -> [HTTPFilter] {
        filters(isHTTP: true).map { action, enforced, rehearsed in
            var config = Envoy_Extensions_Filters_Http_Rbac_V3_RBAC()
            if let enforced { config.rules = enforced }
            if let rehearsed {
                config.shadowRules = rehearsed
                config.shadowRulesStatPrefix = Self.shadowPrefix(action)
            }
            var filter = HTTPFilter()
            // The filters of one manager have names of their own only where a route changes them; none does.
            filter.name = "envoy.filters.http.rbac"
            filter.typedConfig = .packing(config)
            return filter
        }
    }

    func connectionFilters() -> [NetworkFilter] {
        filters(isHTTP: false).map { action, enforced, rehearsed in
            var config = Envoy_Extensions_Filters_Network_Rbac_V3_RBAC()
            config.statPrefix = "tcp."
            if let enforced { config.rules = enforced }
            if let rehearsed {
                config.shadowRules = rehearsed
                config.shadowRulesStatPrefix = Self.shadowPrefix(action)
            }
            var filter = NetworkFilter()
            filter.name = "envoy.filters.network.rbac"
            filter.typedConfig = .packing(config)
            return filter
        }
    }

    private static func shadowPrefix(_ action: RBAC.Action) -> String {
        action == .deny ? "istio_dry_run_deny_" : "istio_dry_run_allow_"
    }

    private func filters(isHTTP: Bool) -> [(RBAC.Action, enforced: RBAC?, rehearsed: RBAC?)] {
        let order: [(RBAC.Action, [AuthorizationPolicy.Action])] = [
            // No external authorizer is asked yet, so what one would have to decide is denied.
            (.log, [.audit]), (.deny, [.custom, .deny]), (.allow, [.allow]),
        ]
        return order.compactMap { action, written in
            let concerned = policies.filter { written.contains($0.spec.action) }
            let enforced = rules(action, concerned.filter { !$0.isDryRun }, isHTTP: isHTTP)
            let rehearsed = rules(action, concerned.filter(\.isDryRun), isHTTP: isHTTP)
            return enforced == nil && rehearsed == nil ? nil : (action, enforced, rehearsed)
        }
    }

    /// nil without policies. Policies without a rule that can match leave rules that nothing passes: ALLOW then denies.
    private func rules(_ action: RBAC.Action, _ policies: [Policy], isHTTP: Bool) -> RBAC? {
        if policies.isEmpty { return nil }
        var result = RBAC()
        result.action = action
        for policy in policies {
            let name = policy.key.name
            let suffix = policy.spec.action == .custom ? "-deny-due-to-bad-CUSTOM-action" : ""
            for (index, rule) in policy.spec.rules.enumerated() {
                let compiler = AuthorizationRule(
                    namespace: name.namespace, trustDomains: trustDomains, isHTTP: isHTTP,
                    isAllow: action == .allow)
                result.policies["ns[\(name.namespace)]-policy[\(name.name)]-rule[\(index)]\(suffix)"] =
                    compiler.compile(rule)
            }
        }
        return result
    }
}
