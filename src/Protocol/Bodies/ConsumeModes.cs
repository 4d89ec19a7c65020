using System.Text.Json.Serialization;

namespace GrayMQ.Protocol.Bodies;

/// <summary>How a consumer gets its messages. The numbers are RocketMQ's ordinals: its C++ client sends them.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ConsumeType>))]
public enum ConsumeType
{
    [JsonStringEnumMemberName("CONSUME_ACTIVELY")]
    Actively = 0,

    [JsonStringEnumMemberName("CONSUME_PASSIVELY")]
    Passively = 1,

    [JsonStringEnumMemberName("CONSUME_POP")]
    Pop = 2,
}

/// <summary>Whether every consumer of a group gets every message, or each message goes to one of them.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<MessageModel>))]
public enum MessageModel
{
    [JsonStringEnumMemberName("BROADCASTING")]
    Broadcasting = 0,

    [JsonStringEnumMemberName("CLUSTERING")]
    Clustering = 1,
}

/// <summary>Where a group begins that has no offsets yet.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ConsumeFromWhere>))]
public enum ConsumeFromWhere
{
    [JsonStringEnumMemberName("CONSUME_FROM_LAST_OFFSET")]
    LastOffset = 0,

    [JsonStringEnumMemberName("CONSUME_FROM_LAST_OFFSET_AND_FROM_MIN_WHEN_BOOT_FIRST")]
    LastOffsetAndFromMinWhenBootFirst = 1,

    [JsonStringEnumMemberName("CONSUME_FROM_MIN_OFFSET")]
    MinOffset = 2,

    [JsonStringEnumMemberName("CONSUME_FROM_MAX_OFFSET")]
    MaxOffset = 3,

    [JsonStringEnumMemberName("CONSUME_FROM_FIRST_OFFSET")]
    FirstOffset = 4,

    [JsonStringEnumMemberName("CONSUME_FROM_TIMESTAMP")]
    Timestamp = 5,
}

/// <summary>Whether a group pulls or pops a topic.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<MessageRequestMode>))]
public enum MessageRequestMode
{
    [JsonStringEnumMemberName("PULL")]
    Pull = 0,

    [JsonStringEnumMemberName("POP")]
    Pop = 1,
}
