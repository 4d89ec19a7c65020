using System.Buffers;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client.Consumers.Requests;

/// <summary>What a consumer answers when a broker asks (RocketMQ: ClientRemotingProcessor).</summary>
internal sealed class ConsumerRequests
{
    private readonly ILogger _logger;
    private volatile IConsumerInside? _consumer;

    public ConsumerRequests(ILogger logger)
    {
        _logger = logger;
        Table = new RequestTable()
            .On<NotifyConsumerIdsChangedHeader>(RequestCode.NotifyConsumerIdsChanged, HandleMembersChanged)
            .OnPool<ResetOffsetHeader>(RequestCode.ResetConsumerClientOffset, HandleResetAsync)
            .OnPool<GetConsumerStatusHeader>(RequestCode.GetConsumerStatusFromClient, HandleStatus)
            .OnPool<GetConsumerRunningInfoHeader>(RequestCode.GetConsumerRunningInfo, HandleRunningInfo)
            .OnPool<ConsumeMessageDirectlyHeader>(RequestCode.ConsumeMessageDirectly, HandleConsumeDirectlyAsync);
    }

    public RequestTable Table { get; }

    /// <summary>Whom the requests are about; until there is one, they are refused.</summary>
    public void Serve(IConsumerInside consumer) => _consumer = consumer;

    private ValueTask HandleMembersChanged(RemotingRequest request, NotifyConsumerIdsChangedHeader header)
    {
        _consumer?.OnMembersChanged();
        request.Reply(ResponseCode.Success);
        return ValueTask.CompletedTask;
    }

    private async ValueTask HandleResetAsync(RemotingRequest request, ResetOffsetHeader header)
    {
        IConsumerInside consumer = Require(header.Group);
        if (!request.Body.IsEmpty)
        {
            Dictionary<MessageQueue, long> offsets = BodyCodec.Decode<ResetOffsetBody>(request.Body).OffsetTable;
            Log.ResetDemanded(_logger, header.Topic, offsets.Count);
            await consumer.ResetOffsetsAsync(header.Topic, offsets).ConfigureAwait(false);
        }

        request.Reply(ResponseCode.Success);
    }

    private ValueTask HandleStatus(RemotingRequest request, GetConsumerStatusHeader header)
    {
        request.Reply(BodyCodec.Encode(new GetConsumerStatusBody
        {
            MessageQueueTable = Require(header.Group).DescribeOffsets(header.Topic),
        }));
        return ValueTask.CompletedTask;
    }

    private ValueTask HandleRunningInfo(RemotingRequest request, GetConsumerRunningInfoHeader header)
    {
        request.Reply(BodyCodec.Encode(Require(header.ConsumerGroup).Describe()));
        return ValueTask.CompletedTask;
    }

    private async ValueTask HandleConsumeDirectlyAsync(RemotingRequest request, ConsumeMessageDirectlyHeader header)
    {
        IConsumerInside consumer = Require(header.ConsumerGroup);
        ReceivedMessage message = MessageDecoder.DecodeAll(request.Body.ToArray()) is [var only]
            ? only
            : throw new RemotingException(ResponseCode.SystemError, "the body does not hold one message");
        ConsumeMessageDirectlyResult result =
            await consumer.ConsumeDirectlyAsync(message, header.BrokerName ?? "").ConfigureAwait(false)
            ?? throw new RemotingException(ResponseCode.SystemError, "this consumer has no handler");
        request.Reply(BodyCodec.Encode(result));
    }

    private IConsumerInside Require(string group) =>
        _consumer is { } consumer && consumer.Group == group
            ? consumer
            : throw new RemotingException(ResponseCode.SystemError, $"there is no consumer of group {group} here");
}
