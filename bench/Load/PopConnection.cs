using System.Diagnostics;
using System.Globalization;
using System.Text;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Load;

/// <summary>
/// Pops all queues and acks what came, in one request or in one for each message; from the beginning again when nothing is left. One
/// request is in flight at a time, or one pop and the acks of the pops before it. A message counts when it is acked.
/// </summary>
internal sealed class PopConnection(LoadOptions options, int index, PopAcks acks)
    : LoadConnection(options with { InFlight = acks == PopAcks.BatchBeside ? 1 + MaxAcksBeside : 1 })
{
    /// <summary>Batches whose acks may be under way when the next pop is sent.</summary>
    private const int MaxAcksBeside = 2;

    private readonly LoadOptions _options = options;
    private readonly Random _random = new(index);
    private readonly RemotingCommand _answer = new();
    private readonly Queue<(int Opaque, byte[] Frame, int Messages)> _acks = [];
    private readonly Dictionary<int, (int Messages, long SentAt)> _acksInFlight = []; // by opaque
    private readonly byte[] _pop = RequestTemplate.Pop(
        options.SerializeType, options.Topic, options.Batch, (long)options.Invisible.TotalMilliseconds, pollMs: 0);

    private int _lastOpaque = RequestTemplate.Opaque;
    private bool _isPopping;
    private long _poppedAt;

    protected override int AppendRequest(ref byte[] buffer, int length)
    {
        if (_acks.TryDequeue(out (int Opaque, byte[] Frame, int Messages) ack))
        {
            _acksInFlight[ack.Opaque] = (ack.Messages, Stopwatch.GetTimestamp());
            return Append(ref buffer, length, ack.Frame);
        }

        if (_isPopping || _acksInFlight.Count > MaxAcksBeside)
        {
            return length;
        }

        _isPopping = true;
        _poppedAt = Stopwatch.GetTimestamp();
        return Append(ref buffer, length, _pop);
    }

    // Acks and the pop beside them are answered in any order.
    protected override long SentAt(ReadOnlySpan<byte> frame, long inTurn)
    {
        _answer.DecodeHeader(frame);
        return _acksInFlight.TryGetValue(_answer.Opaque, out (int Messages, long SentAt) ack) ? ack.SentAt : _poppedAt;
    }

    protected override int Count(ReadOnlySpan<byte> frame)
    {
        if (_acksInFlight.Remove(_answer.Opaque, out (int Messages, long SentAt) ack))
        {
            return _answer.ResponseCode == ResponseCode.Success ? ack.Messages : -1;
        }

        _isPopping = false;
        switch (_answer.ResponseCode)
        {
            case ResponseCode.Success:
                PrepareAcks(PopMessageResponseHeader.Read(_answer.Fields));
                return 0;
            case ResponseCode.PollingTimeout or ResponseCode.PollingFull:
                for (int queueId = 0; queueId < _options.Queues; queueId++)
                {
                    byte[] rewind = RequestTemplate.Rewind(
                        _options.SerializeType, _options.Topic, queueId, _options.StartOf(queueId), ++_lastOpaque);
                    _acks.Enqueue((_lastOpaque, rewind, 0));
                }

                return 0;
            default:
                return -1;
        }
    }

    private void PrepareAcks(PopMessageResponseHeader header)
    {
        Dictionary<string, long> starts = Queues(header.StartOffsetInfo)
            .ToDictionary(queue => queue[0] + queue[1], queue => Number(queue[2]), StringComparer.Ordinal);
        var batch = new BatchAckMessageRequestBody { BrokerName = _options.BrokerName };
        int inBatch = 0;
        foreach (string[] queue in Queues(header.MessageOffsetInfo))
        {
            long start = starts[queue[0] + queue[1]];
            var bits = new byte[8];
            foreach (string text in queue[2].Split(','))
            {
                if (_random.Next(100) < _options.NeverAckedPercent)
                {
                    continue;
                }

                long distance = Number(text) - start;
                if (acks == PopAcks.Single)
                {
                    string topic = queue[0] == "0" ? _options.Topic : $"%RETRY%{RequestTemplate.PopGroupName}_{_options.Topic}";
                    string handle = $"{start} {header.PopTimeMs} {header.InvisibleTimeMs} {header.ReviveQueueId} {queue[0]} {_options.BrokerName} {queue[1]} {text}";
                    byte[] ack = RequestTemplate.Ack(
                        _options.SerializeType, topic, (int)Number(queue[1]), Number(text), handle, ++_lastOpaque);
                    _acks.Enqueue((_lastOpaque, ack, 1));
                    continue;
                }

                if (distance / 8 >= bits.Length)
                {
                    Array.Resize(ref bits, (int)(distance / 8) + 1);
                }

                bits[distance / 8] |= (byte)(1 << (int)(distance % 8));
                inBatch++;
            }

            batch.Acks.Add(new BatchAck
            {
                ConsumerGroup = RequestTemplate.PopGroupName,
                Topic = _options.Topic,
                Retry = queue[0],
                StartOffset = start,
                QueueId = (int)Number(queue[1]),
                ReviveQueueId = header.ReviveQueueId,
                PopTimeMs = header.PopTimeMs,
                InvisibleTimeMs = header.InvisibleTimeMs,
                Bits = bits,
            });
        }

        if (inBatch > 0)
        {
            _acks.Enqueue((++_lastOpaque, RequestTemplate.BatchAck(_options.SerializeType, batch, _lastOpaque), inBatch));
        }
    }

    private static IEnumerable<string[]> Queues(ReadOnlyMemory<byte> text) =>
        Encoding.UTF8.GetString(text.Span).Split(';', StringSplitOptions.RemoveEmptyEntries).Select(queue => queue.Split(' '));

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
