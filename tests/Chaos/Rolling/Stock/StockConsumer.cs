using System.Text;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Chaos.Rolling.Stock;

/// <summary>What stock consumers have in common: who they say they are, and how they go on when a broker fails.</summary>
internal abstract class StockConsumer(LoadSettings settings, GroupRecord group, ConsumeFromWhere consumeFrom)
    : StockClient(settings, group.Topic, new RequestTable())
{
    protected const int BatchSize = 32;
    protected static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5);
    protected static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(50);

    // RocketMQ: pullTimeDelayMillsWhenException, popTimeDelayMillsWhenException.
    private static readonly TimeSpan ErrorDelay = TimeSpan.FromSeconds(3);

    protected override HeartbeatData Heartbeat { get; } = new()
    {
        ClientId = $"{group.Name}@1",
        ConsumerDataSet =
        [
            new ConsumerData
            {
                GroupName = group.Name,
                ConsumeType = ConsumeType.Passively,
                ConsumeFromWhere = consumeFrom,
                SubscriptionDataSet = [new SubscriptionData { Topic = group.Topic, SubString = SubscriptionData.SubscribeAll, SubVersion = 1 }],
            },
        ],
    };

    protected GroupRecord Group { get; } = group;

    protected byte[] TopicUtf8 { get; } = Encoding.UTF8.GetBytes(group.Topic);

    protected byte[] GroupUtf8 { get; } = Encoding.UTF8.GetBytes(group.Name);

    /// <summary>Asks a broker again and again; after a failure, a while later.</summary>
    protected static async Task RepeatAsync(Func<Task> ask, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await ask();
            }
            catch (Exception e) when (e is IOException or TimeoutException)
            {
                await Task.Delay(ErrorDelay, stop).ContinueWith(_ => { }, TaskScheduler.Default);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}
