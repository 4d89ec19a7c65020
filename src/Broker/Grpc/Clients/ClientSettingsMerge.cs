using Google.Protobuf.WellKnownTypes;
using GrayMQ.Broker.Groups;
using GrayMQ.Protocol.Bodies;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc.Clients;

/// <summary>What a client is told to work with (RocketMQ: GrpcClientSettingsManager).</summary>
internal sealed class ClientSettingsMerge(GrpcOptions options, SubscriptionGroupTable groups)
{
    private const int ProducerMaxAttempts = 3;
    private const float ProducerBackoffMultiplier = 2;

    private static readonly TimeSpan ProducerBackoff = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan ProducerMaxBackoff = TimeSpan.FromSeconds(1);

    /// <summary>The client's own settings, with what the broker decides in their place.</summary>
    public V2.Settings Merge(V2.Settings client, string? group)
    {
        V2.Settings merged = client.Clone();
        merged.Metric = new V2.Metric { On = false };
        switch (merged.PubSubCase)
        {
            case V2.Settings.PubSubOneofCase.Publishing:
                merged.Publishing.ValidateMessageType = options.CheckMessageType;
                merged.Publishing.MaxBodySize = options.MaxBodyBytes;
                merged.BackoffPolicy = ProducerPolicy();
                break;
            case V2.Settings.PubSubOneofCase.Subscription:
                SubscriptionGroupConfig config = (group is null ? null : groups.FindExisting(group)) ?? new SubscriptionGroupConfig();
                merged.Subscription.Fifo = config.ConsumeMessageOrderly;
                merged.Subscription.ReceiveBatchSize = GrpcOptions.MaxBatch;
                merged.Subscription.LongPollingTimeout = Duration.FromTimeSpan(GrpcOptions.MaxPolling);
                merged.BackoffPolicy = ConsumerPolicy(config);
                break;
        }

        return merged;
    }

    private static V2.RetryPolicy ProducerPolicy() => new()
    {
        MaxAttempts = ProducerMaxAttempts,
        ExponentialBackoff = new V2.ExponentialBackoff
        {
            Initial = Duration.FromTimeSpan(ProducerBackoff),
            Max = Duration.FromTimeSpan(ProducerMaxBackoff),
            Multiplier = ProducerBackoffMultiplier,
        },
    };

    // How long a message waits that failed, by the count of its attempts.
    private static V2.RetryPolicy ConsumerPolicy(SubscriptionGroupConfig group)
    {
        GroupRetryPolicy policy = group.GroupRetryPolicy ?? new GroupRetryPolicy();
        var merged = new V2.RetryPolicy { MaxAttempts = Math.Max(0, group.RetryMaxTimes) + 1 };
        if (policy is { Type: GroupRetryPolicyType.Exponential, ExponentialRetryPolicy: { } exponential })
        {
            merged.ExponentialBackoff = new V2.ExponentialBackoff
            {
                Initial = Milliseconds(exponential.Initial),
                Max = Milliseconds(exponential.Max),
                Multiplier = exponential.Multiplier,
            };
        }
        else
        {
            merged.CustomizedBackoff = new V2.CustomizedBackoff();
            merged.CustomizedBackoff.Next.AddRange((policy.CustomizedRetryPolicy ?? new CustomizedRetryPolicy()).Next.Select(Milliseconds));
        }

        return merged;
    }

    private static Duration Milliseconds(long milliseconds) =>
        Duration.FromTimeSpan(TimeSpan.FromMilliseconds(Math.Clamp(milliseconds, 0, int.MaxValue)));
}
