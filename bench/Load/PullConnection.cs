using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Load;

/// <summary>Pulls one queue from where the run begins it, and again when it has come to the end.</summary>
internal sealed class PullConnection(LoadOptions options, int index) : LoadConnection(options)
{
    private readonly LoadOptions _options = options;
    private readonly RemotingCommand _answer = new();
    private readonly int _queueId = index % options.Queues;
    private long _offset = options.StartOf(index % options.Queues);

    protected override int AppendRequest(ref byte[] buffer, int length) => Append(
        ref buffer,
        length,
        RequestTemplate.Pull(_options.SerializeType, _options.Topic, _queueId, _offset, _options.Batch));

    protected override int Count(ReadOnlySpan<byte> frame)
    {
        _answer.DecodeHeader(frame);
        PullMessageResponseHeader header = PullMessageResponseHeader.Read(_answer.Fields);
        switch (_answer.ResponseCode)
        {
            case ResponseCode.Success:
                int messages = (int)(header.NextBeginOffset - _offset);
                _offset = header.NextBeginOffset;
                return messages;
            case ResponseCode.PullNotFound:
                _offset = Math.Max(header.MinOffset, _options.StartOf(_queueId));
                return 0;
            case ResponseCode.PullRetryImmediately or ResponseCode.PullOffsetMoved:
                _offset = header.NextBeginOffset;
                return 0;
            default:
                return -1;
        }
    }
}
