using GrayMQ.Broker.Topics;

namespace GrayMQ.Broker.Delays;

/// <summary>Where a message is stored: in its topic, or where delayed ones wait.</summary>
/// <param name="Topic">The topic to append to.</param>
/// <param name="QueueId">The queue to append to.</param>
/// <param name="RecallMs">The time of its recall handle; 0 where it cannot be recalled.</param>
internal readonly record struct DelayRoute(Topic Topic, int QueueId, long RecallMs = 0);
