using GrayMQ.Cli.Messages;

namespace GrayMQ.Cli.Filters;

/// <summary>The result of <c>filter explain</c>.</summary>
/// <param name="Type">SQL92 or HEADER.</param>
/// <param name="Extraction">What is left of it where the indexed property is known; null when it does not ask for that.</param>
internal sealed record FilterExplanation(string Topic, string Type, string Expression, FilterNode Tree, FilterExtraction? Extraction);

/// <summary>A part of an expression.</summary>
/// <param name="Form">What it means, the same for both languages.</param>
/// <param name="Start">Where it begins in the expression, counted in characters.</param>
/// <param name="End">Where it ends: behind its last character.</param>
internal sealed record FilterNode(string Form, int Start, int End, IReadOnlyList<FilterNode> Operands);

/// <summary>An expression as the index has it. Exactly one residual is asked about a message.</summary>
/// <param name="AnyOther">What is left where the property is there and is none of the values.</param>
/// <param name="Missing">What is left where the property is not there.</param>
internal sealed record FilterExtraction(string Property, IReadOnlyList<FilterResidual> Values, string AnyOther, string Missing);

/// <summary>What is left where the indexed property has a value.</summary>
internal sealed record FilterResidual(string Value, string Residual);

/// <summary>The result of <c>filter test</c>.</summary>
/// <param name="LookedAt">Messages that were held against the expression.</param>
/// <param name="Matched">Those that match.</param>
/// <param name="Messages">The newest of them.</param>
internal sealed record FilterTest(
    string Topic, string Type, string Expression, long LookedAt, long Matched, IReadOnlyList<MessageView> Messages);

/// <summary>The result of <c>filter stats</c>.</summary>
internal sealed record FilterStatsListing(string Topic, IReadOnlyList<FilterStatsOfBroker> Brokers);

/// <summary>What a broker does for a topic's conditions; counts are since its start, or since the first such subscription.</summary>
/// <param name="Indexed">Whether the broker indexes conditions (filterIndex).</param>
/// <param name="IndexedProperty">The topic's own property to index by; null for the message type.</param>
/// <param name="Subscriptions">Groups that subscribe by a condition.</param>
/// <param name="NotIndexed">Those of them that are evaluated by themselves for the moment.</param>
/// <param name="Expressions">Different conditions in the index.</param>
/// <param name="Clauses">What they came apart into.</param>
/// <param name="Messages">Messages that the index was asked about.</param>
/// <param name="LookUps">Tables of the index that were asked.</param>
/// <param name="Evaluations">Residual conditions that were evaluated.</param>
/// <param name="Matches">Conditions that messages matched.</param>
/// <param name="KeptBytes">Bytes of the answers that were kept.</param>
/// <param name="NotKept">Answers that could not be kept.</param>
/// <param name="LookedAt">Messages that were looked at when they were read, because no answer was there.</param>
internal sealed record FilterStatsOfBroker(
    string Broker,
    bool Indexed,
    string? IndexedProperty,
    int Subscriptions,
    int NotIndexed,
    int Expressions,
    int Clauses,
    long Messages,
    long LookUps,
    long Evaluations,
    long Matches,
    long KeptBytes,
    long NotKept,
    long LookedAt);
