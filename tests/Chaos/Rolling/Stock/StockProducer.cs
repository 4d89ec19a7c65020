using System.Diagnostics;
using System.Text;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Chaos.Rolling.Stock;

/// <summary>Sends as a stock producer does, queue by queue through those that its route shows as writable.</summary>
/// <param name="id">Its own, in the messages.</param>
/// <param name="record">The topic, and what becomes of the sends.</param>
/// <param name="tries">How often a message is sent that fails, at once and within the time of one send; 3 for stock producers.</param>
/// <param name="keepsQueue">Sends everything to one queue, as for messages that keep an order.</param>
internal sealed class StockProducer(LoadSettings settings, string id, SendRecord record, int tries, bool keepsQueue = false)
    : StockClient(settings, record.Topic, new RequestTable())
{
    private const string Group = "rolling-stock-producer";
    private const int Queues = 4;

    protected override HeartbeatData Heartbeat { get; } =
        new() { ClientId = id, ProducerDataSet = [new ProducerData { GroupName = Group }] };

    protected override async Task RunAsync(CancellationToken stop)
    {
        for (int number = 0; !stop.IsCancellationRequested; number++)
        {
            await RefreshAsync();
            if (Route.Writable.Count > 0)
            {
                await SendAsync(number);
            }

            await Task.Delay(Settings.Pause, CancellationToken.None);
        }
    }

    // The next try goes to the next queue unless it has to be this one, and past the broker that failed where there is another (RocketMQ: selectOneMessageQueue).
    private async Task SendAsync(int number)
    {
        string body = $"{id}-{number}";
        string? failed = null;
        string problem = "";
        long begun = Stopwatch.GetTimestamp();
        for (int tried = 0; tried < tries; tried++)
        {
            StockQueue queue = Choose(number + tried, failed);
            TimeSpan left = Settings.SendTimeout - Stopwatch.GetElapsedTime(begun);
            if (left <= TimeSpan.Zero)
            {
                break;
            }

            try
            {
                SendMessageHeader header = StockSend.Header(Group, record.Topic, Queues, queue.QueueId);
                RemotingCommand answer = await Client.InvokeAsync(
                    queue.Address, RequestCode.SendMessageV2, header, Encoding.UTF8.GetBytes(body), left)
                    .WaitAsync(left);
                if (answer.ResponseCode == ResponseCode.Success)
                {
                    record.Acknowledge(body, begun);
                    return;
                }

                problem = $"{queue.Broker}: {answer.ResponseCode} {answer.Remark}";
            }
            catch (Exception e) when (e is IOException or TimeoutException)
            {
                problem = $"{queue.Broker}: {e.Message}";
            }

            failed = queue.Broker;
        }

        record.Fail(id, problem, begun);
    }

    private StockQueue Choose(int number, string? failed)
    {
        if (keepsQueue)
        {
            return Route.Writable[(JavaStringHash.Of(id) & int.MaxValue) % Route.Writable.Count];
        }

        IEnumerable<StockQueue> fromHere = Enumerable.Range(0, Route.Writable.Count)
            .Select(i => Route.Writable[(number + i) % Route.Writable.Count]);
        return fromHere.Where(queue => queue.Broker != failed).FirstOrDefault(Route.Writable[number % Route.Writable.Count]);
    }
}
