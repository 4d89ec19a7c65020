using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using GrayMQ.Chaos.Rolling;
using GrayMQ.Chaos.Rolling.Stock;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Chaos.Warmups;

/// <summary>Sends as a stock producer does, queue by queue through those that its route shows, and notes who answered when.</summary>
internal sealed class MeasuredProducer(LoadSettings settings, string topic, string id, ConcurrentQueue<SendSample> samples)
    : StockClient(settings, topic, new RequestTable())
{
    private const string Group = "warmup-producer";
    private static readonly byte[] Body = new byte[512];
    private int _failed;

    /// <summary>Sends that were not acknowledged.</summary>
    public int Failed => Volatile.Read(ref _failed);

    protected override HeartbeatData Heartbeat { get; } =
        new() { ClientId = id, ProducerDataSet = [new ProducerData { GroupName = Group }] };

    protected override async Task RunAsync(CancellationToken stop)
    {
        for (int number = 0; !stop.IsCancellationRequested; number++)
        {
            await RefreshAsync();
            if (Route.Writable.Count > 0)
            {
                await SendAsync(Route.Writable[number % Route.Writable.Count]);
            }

            await Task.Delay(Settings.Pause, CancellationToken.None);
        }
    }

    private async Task SendAsync(StockQueue queue)
    {
        long begun = Stopwatch.GetTimestamp();
        try
        {
            RemotingCommand answer = await Client.InvokeAsync(
                queue.Address, RequestCode.SendMessageV2, HeaderOf(queue.QueueId), Body, Settings.SendTimeout);
            if (answer.ResponseCode == ResponseCode.Success)
            {
                samples.Enqueue(new SendSample(queue.Broker, begun, Stopwatch.GetElapsedTime(begun)));
                return;
            }
        }
        catch (Exception e) when (e is IOException or TimeoutException)
        {
            // Counted below.
        }

        Interlocked.Increment(ref _failed);
    }

    private SendMessageHeader HeaderOf(int queueId) => new()
    {
        ProducerGroup = Encoding.UTF8.GetBytes(Group),
        Topic = Encoding.UTF8.GetBytes(Topic),
        DefaultTopic = "TBW102"u8.ToArray(),
        DefaultTopicQueueNums = 4,
        QueueId = queueId,
        BornTimestampMs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
    };
}
