using GrayMQ.Client.Sessions;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Consumers.Offsets;

/// <summary>Where a consumer begins in a queue that it has been given (RocketMQ: RebalancePushImpl.computePullFromWhere).</summary>
internal sealed class StartOffset(IOffsetStore store, QueueOffsets queues, ConsumeFrom from, DateTimeOffset fromTime)
{
    // RocketMQ: DefaultMQPushConsumer.consumeTimestamp.
    private static readonly TimeSpan DefaultAge = TimeSpan.FromMinutes(30);

    public static StartOffset Create(ConsumerOptions options, IOffsetStore store, QueueOffsets queues, TimeProvider time) =>
        new(store, queues, options.ConsumeFrom, options.ConsumeFromTime ?? time.GetUtcNow() - DefaultAge);

    /// <summary>What is stored; where nothing is, what the options say.</summary>
    public async Task<long> FindAsync(MessageQueue queue, CancellationToken cancel)
    {
        if (await store.ReadAsync(queue, cancel).ConfigureAwait(false) is { } stored)
        {
            return stored;
        }

        bool isRetry = NameRules.IsRetryTopic(queue.Topic);
        return from switch
        {
            // What failed is to be consumed in any case; the broker corrects an offset that it no longer has.
            ConsumeFrom.First => 0,
            ConsumeFrom.Last when isRetry => 0,
            ConsumeFrom.Timestamp when !isRetry => await queues.SearchAsync(queue, fromTime, cancel).ConfigureAwait(false),
            _ => await queues.MaxAsync(queue, cancel).ConfigureAwait(false),
        };
    }
}
