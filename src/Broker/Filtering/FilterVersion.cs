using GrayMQ.Filtering.Indexes;

namespace GrayMQ.Broker.Filtering;

/// <summary>An index as it is from one change to the next. Generations grow with every change, over restarts too.</summary>
/// <param name="IndexedProperty">The property that expressions are specialised for; null for the message type.</param>
internal sealed record FilterVersion(long Generation, FilterIndex Index, string? IndexedProperty);
