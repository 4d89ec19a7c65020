using System.Diagnostics;
using System.Globalization;
using System.Text;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Clients;

namespace GrayMQ.Chaos;

/// <summary>
/// Delayed messages for <see cref="KillRun"/>: sent while the server is killed again and again, with levels and with times of their own; at
/// the end each that was acknowledged has to have been delivered, and none twice.
/// </summary>
internal sealed class DelayedLoad(int seed)
{
    private const string Topic = "ChaosLater";
    private const int Producer = 1000;
    private const int MaxDelayMs = 4000;
    private const int PullBatch = 32;

    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly DelayedLedger _ledger = new();
    private readonly Random _random = new(seed);
    private long _number;

    /// <summary>Messages that were acknowledged.</summary>
    public int Count => _ledger.Count;

    /// <summary>Sends until the server is killed.</summary>
    public async Task ProduceAsync(RemotingClient client, string address, CancellationToken killed)
    {
        while (!killed.IsCancellationRequested)
        {
            long number = _number++;
            string property = number % 3 == 0
                ? "DELAY\u00011\u0002"
                : string.Create(CultureInfo.InvariantCulture, $"TIMER_DELAY_MS\u0001{_random.Next(1, MaxDelayMs)}\u0002");
            SendMessageHeader header = StockSend.Header("chaos", Topic, 1) with { Properties = Encoding.UTF8.GetBytes(property) };
            try
            {
                RemotingCommand answer = await client.InvokeAsync(
                    address, RequestCode.SendMessageV2, header, Ledger.Body(Producer, number), CallTimeout, killed);
                if (answer.ResponseCode == ResponseCode.Success)
                {
                    _ledger.Acknowledge(Producer, number);
                }
            }
            catch (Exception e) when (e is IOException or TimeoutException or OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>Waits until nothing is pending, and reads everything back. Returns what is wrong.</summary>
    public async Task<List<string>> CheckAsync(RemotingClient client, string address, CancellationToken cancel)
    {
        var problems = new List<string>();
        if (!await WaitUntilDeliveredAsync(client, address, cancel))
        {
            problems.Add("delayed messages are pending long after they were due");
        }

        for (long offset = 0; ;)
        {
            var header = new PullMessageHeader
            {
                ConsumerGroup = "chaos-later"u8.ToArray(),
                Topic = Encoding.UTF8.GetBytes(Topic),
                QueueOffset = offset,
                MaxMessages = PullBatch,
                SysFlag = PullSysFlag.Subscription,
                Subscription = "*"u8.ToArray(),
            };
            RemotingCommand answer = await client.InvokeAsync(address, RequestCode.PullMessage, header, default, CallTimeout, cancel);
            if (answer.ResponseCode != ResponseCode.Success)
            {
                break;
            }

            foreach (ReceivedMessage message in MessageDecoder.DecodeAll(answer.Body.FirstSpan))
            {
                if (_ledger.Deliver(message.Body.Span) is { } problem)
                {
                    problems.Add(problem);
                }
            }

            offset = PullMessageResponseHeader.Read(answer.Fields).NextBeginOffset;
        }

        problems.AddRange(_ledger.Missing());
        return problems;
    }

    private static async Task<bool> WaitUntilDeliveredAsync(RemotingClient client, string address, CancellationToken cancel)
    {
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < Patience)
        {
            await Task.Delay(Pause, cancel);
            RemotingCommand answer = await client.InvokeAsync(
                address, RequestCode.ShowTimers, default(NoHeader), default, CallTimeout, cancel);
            if (answer.ResponseCode == ResponseCode.Success && BodyCodec.Decode<PendingTimers>(answer.Body).Total == 0)
            {
                return true;
            }
        }

        return false;
    }
}
