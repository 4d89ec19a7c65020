using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Consumers.Memberships;

/// <summary>What brokers are told of a consumer, besides what it subscribes to.</summary>
internal sealed record MemberDescription(string Group, ConsumeType Type, MessageModel Model, ConsumeFrom From);
