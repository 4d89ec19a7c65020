using System.Diagnostics;
using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Load;

/// <summary>Receives by gRPC and acks what came, a batch in one call, over one connection. A message counts when it is acked.</summary>
internal sealed class GrpcReceiveClient(LoadOptions options, int index) : LoadClient
{
    private static readonly V2.FilterExpression Everything = new() { Type = V2.FilterType.Tag, Expression = "*" };

    private readonly GrpcChannel _channel = new(options, string.Create(CultureInfo.InvariantCulture, $"load-receive-{index}"));
    private readonly V2.Resource _group = new() { Name = "GID_load_grpc" };
    private readonly V2.Resource _topic = new() { Name = options.Topic };

    public override async Task RunAsync(CancellationToken cancel)
    {
        var subscription = new V2.Subscription { Group = _group };
        subscription.Subscriptions.Add(new V2.SubscriptionEntry { Topic = _topic, Expression = Everything });
        await _channel.TellAsync(new V2.Settings { ClientType = V2.ClientType.SimpleConsumer, Subscription = subscription }, cancel);
        while (!Ending)
        {
            long sentAt = Stopwatch.GetTimestamp();
            V2.AckMessageRequest acks = Acks(await ReceiveOnceAsync(cancel));
            if (acks.Entries.Count == 0)
            {
                Record(sentAt, 0);
                continue;
            }

            V2.AckMessageResponse acked = await _channel.CallAsync("AckMessage", acks, V2.AckMessageResponse.Parser, cancel);
            Record(sentAt, acked.Status.Code == V2.Code.Ok ? acks.Entries.Count : -1);
        }
    }

    /// <summary>Receives once; waits a while where there is nothing.</summary>
    public Task<List<V2.ReceiveMessageResponse>> ReceiveOnceAsync(CancellationToken cancel)
    {
        var request = new V2.ReceiveMessageRequest
        {
            Group = _group,
            MessageQueue = new V2.MessageQueue { Topic = _topic, Broker = new V2.Broker { Name = options.BrokerName } },
            FilterExpression = Everything,
            BatchSize = options.Batch,
            InvisibleDuration = Duration.FromTimeSpan(options.Invisible),
            LongPollingTimeout = new Duration(),
        };
        return _channel.StreamAsync("ReceiveMessage", request, V2.ReceiveMessageResponse.Parser, cancel);
    }

    public override void Dispose() => _channel.Dispose();

    private V2.AckMessageRequest Acks(List<V2.ReceiveMessageResponse> received)
    {
        var acks = new V2.AckMessageRequest { Group = _group, Topic = _topic };
        foreach (V2.ReceiveMessageResponse each in received)
        {
            if (each.Message is { } message)
            {
                acks.Entries.Add(new V2.AckMessageEntry
                {
                    MessageId = message.SystemProperties.MessageId,
                    ReceiptHandle = message.SystemProperties.ReceiptHandle,
                });
            }
        }

        return acks;
    }
}
