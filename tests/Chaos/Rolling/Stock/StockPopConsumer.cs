using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Chaos.Rolling.Stock;

/// <summary>Pops from each broker of the route, and acks each message; an ack is not tried again.</summary>
/// <param name="ackAfter">The time from a message's coming to its ack; others are popped meanwhile.</param>
internal sealed class StockPopConsumer(LoadSettings settings, GroupRecord group, TimeSpan ackAfter = default)
    : StockConsumer(settings, group, ConsumeFromWhere.LastOffset)
{
    private static readonly TimeSpan LeastInvisibleTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan PollTime = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan PopTimeout = TimeSpan.FromSeconds(30);


    private readonly ConcurrentDictionary<(string Broker, string Address), Task> _popping = new();
    private readonly ConcurrentQueue<Task> _lateAcks = new();

    protected override async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await RefreshAsync();
            foreach (StockQueue queue in Route.Readable)
            {
                _ = _popping.GetOrAdd((queue.Broker, queue.Address), broker => Task.Run(
                    () => RepeatAsync(() => PopOnceAsync(broker.Broker, broker.Address, stop), stop)));
            }

            await Task.Delay(LookInterval, CancellationToken.None);
        }

        await Task.WhenAll(_popping.Values);
        await Task.WhenAll(_lateAcks);
    }

    private async Task PopOnceAsync(string broker, string address, CancellationToken stop)
    {
        var header = new PopMessageHeader
        {
            ConsumerGroup = GroupUtf8,
            Topic = TopicUtf8,
            QueueId = PopMessageHeader.AnyQueue,
            MaxMessages = BatchSize,
            InvisibleTimeMs = (long)(LeastInvisibleTime + (2 * ackAfter)).TotalMilliseconds,
            PollTimeMs = (long)PollTime.TotalMilliseconds,
        };
        RemotingCommand answer = await Client.InvokeAsync(address, RequestCode.PopMessage, header, default, PopTimeout, stop);
        switch (answer.ResponseCode)
        {
            case ResponseCode.Success:
                break;
            case ResponseCode.PollingTimeout or ResponseCode.PullNotFound or ResponseCode.PollingFull:
                return;
            default:
                throw new IOException($"{answer.ResponseCode} {answer.Remark}");
        }

        PopMessageResponseHeader told = PopMessageResponseHeader.Read(answer.Fields);
        Dictionary<string, string> starts = Encoding.UTF8.GetString(told.StartOffsetInfo.Span).Split(';')
            .Select(queue => queue.Split(' ')).ToDictionary(queue => queue[0] + queue[1], queue => queue[2], StringComparer.Ordinal);
        List<ReceivedMessage> messages = MessageDecoder.DecodeAll(answer.Body.FirstSpan);
        foreach (ReceivedMessage message in messages)
        {
            Group.Receive(Encoding.UTF8.GetString(message.Body.Span));
        }

        Task acking = AckAllAsync();
        if (ackAfter > TimeSpan.Zero)
        {
            _lateAcks.Enqueue(acking);
            return;
        }

        await acking;

        async Task AckAllAsync()
        {
            await Task.Delay(ackAfter, CancellationToken.None);
            foreach (ReceivedMessage message in messages)
            {
                await AckAsync(address, message, HandleOf(message, broker, told, starts));
            }
        }
    }

    private static string HandleOf(
        ReceivedMessage message, string broker, PopMessageResponseHeader told, Dictionary<string, string> starts) =>
        message.Properties.GetValueOrDefault(MessageProperty.PopCheckPoint)
        ?? string.Create(
            CultureInfo.InvariantCulture,
            $"{starts[$"0{message.QueueId}"]} {told.PopTimeMs} {told.InvisibleTimeMs} {told.ReviveQueueId} 0 {broker} {message.QueueId} {message.QueueOffset}");

    private async Task AckAsync(string address, ReceivedMessage message, string handle)
    {
        if (!PopHandle.TryParse(Encoding.UTF8.GetBytes(handle), out PopHandle parts))
        {
            throw new InvalidOperationException($"{handle} is no handle");
        }

        // A message that comes again is stored in the group's retry topic.
        byte[] topic = parts.Kind == PopHandle.Normal
            ? TopicUtf8
            : Encoding.UTF8.GetBytes($"%RETRY%{Group.Name}{(parts.Kind == PopHandle.Retry ? '_' : '+')}{Group.Topic}");
        var header = new AckMessageHeader
        {
            ConsumerGroup = GroupUtf8,
            Topic = topic,
            QueueId = parts.QueueId,
            ExtraInfo = Encoding.UTF8.GetBytes(handle),
            Offset = parts.QueueOffset >= 0 ? parts.QueueOffset : message.QueueOffset,
        };
        try
        {
            RemotingCommand answer = await Client.InvokeAsync(address, RequestCode.AckMessage, header, default, CallTimeout);
            if (answer.ResponseCode == ResponseCode.Success)
            {
                Group.Confirm(Encoding.UTF8.GetString(message.Body.Span));
            }
        }
        catch (Exception e) when (e is IOException or TimeoutException)
        {
            // It comes again.
        }
    }
}
