using System.Buffers;
using System.Text;
using BenchmarkDotNet.Attributes;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Micro;

/// <summary>What a send costs before and after the store: its header read, and its answer written.</summary>
[MemoryDiagnoser]
public class CommandBenchmarks
{
    private readonly RemotingCommand _command = new();
    private readonly HeaderBuffer _buffer = new();
    private ReadOnlySequence<byte> _frame;

    [Params(SerializeType.Json, SerializeType.RocketMq)]
    public SerializeType Type { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var header = new SendMessageHeader
        {
            ProducerGroup = "producers"u8.ToArray(),
            Topic = "trade"u8.ToArray(),
            DefaultTopic = "TBW102"u8.ToArray(),
            DefaultTopicQueueNums = 4,
            QueueId = 3,
            BornTimestampMs = 1795293705939,
            Properties = Encoding.UTF8.GetBytes(
                "KEYS\u0001k0\u0002UNIQ_KEY\u0001C00002026FE05FFD2B276B700ED20000\u0002WAIT\u0001true\u0002TAGS\u0001TagA\u0002"),
        };
        byte[] body = new byte[1024];
        CommandWriter.WriteRequest(_buffer, Type, RequestCode.SendMessageV2, 1, oneWay: false, in header, body.Length);
        _frame = new ReadOnlySequence<byte>([.. _buffer.Written, .. body]);
    }

    [Benchmark]
    public int ReadSend()
    {
        ReadOnlySequence<byte> buffer = _frame;
        Frame.TryRead(ref buffer, CommandLimits.Default, out Frame frame);
        _command.Decode(in frame, CommandLimits.Default);
        return SendMessageHeader.ReadV2(_command.Fields).QueueId;
    }

    [Benchmark]
    public int WriteOffsetAnswer()
    {
        CommandWriter.WriteResponse(
            _buffer, Type, ResponseCode.Success, 7, null, new OffsetResponseHeader(1234567), bodyLength: 0);
        return _buffer.Length;
    }
}
