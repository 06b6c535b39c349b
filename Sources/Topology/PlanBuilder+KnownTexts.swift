import Columnar
import Dataflow
import Expression

extension PlanBuilder {
    /// The texts that may stand in a field that `levels` or `machine` made, where nothing but
    /// these steps can have made it: names of levels, states, events and rules. Nil when anything
    /// may stand there. O(steps).
    func knownTexts(ofField field: Int, at upstream: Upstream) -> [String]? {
        guard case .step(let index) = upstream else { return nil }
        let step = steps[index]
        let width = width(of: step.input)
        switch step.operation {
        case .filter, .otherwise, .distinct:
            return knownTexts(ofField: field, at: step.input)
        case .lookup, .rules:
            return field < width ? knownTexts(ofField: field, at: step.input) : nil
        case .select(let program):
            return program.outputs[field].copiedColumn.flatMap {
                knownTexts(ofField: $0, at: step.input)
            }
        case .levels(let plan):
            if field < width { return knownTexts(ofField: field, at: step.input) }
            switch step.output.fields[field].name {
            case "level", "previous": return plan.levels + ["normal"]
            case "event": return ["raised", "escalated", "eased", "cleared", "correction"]
            default: return nil
            }
        case .machine(let plan):
            if field < width { return knownTexts(ofField: field, at: step.input) }
            switch step.output.fields[field].name {
            case "state", "previous": return plan.states
            case "event": return ["transition", "breach", "deadline", "correction"]
            case "name": return plan.invariants.map(\.name) + plan.deadlines.map(\.name)
            default: return nil
            }
        case .union, .rekey, .window: return nil
        }
    }

    private func width(of upstream: Upstream) -> Int {
        switch upstream {
        case .source(let index): sources[index].schema.fields.count
        case .step(let index): steps[index].output.fields.count
        }
    }
}
