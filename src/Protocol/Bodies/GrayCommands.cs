using System.Text.Json.Serialization;

namespace GrayMQ.Protocol.Bodies;

/// <summary>What is to be changed in the gray state.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<GrayAction>))]
public enum GrayAction
{
    /// <summary>No action; what an empty command asks for, and is refused.</summary>
    [JsonStringEnumMemberName("NONE")]
    None = 0,

    /// <summary>Switches a topic on, with <see cref="GrayCommand.Size"/> gray queues for each broker.</summary>
    [JsonStringEnumMemberName("ENABLE_TOPIC")]
    EnableTopic = 1,

    [JsonStringEnumMemberName("DISABLE_TOPIC")]
    DisableTopic = 2,

    /// <summary>Opens a release of a group.</summary>
    [JsonStringEnumMemberName("OPEN")]
    Open = 3,

    [JsonStringEnumMemberName("ADD_RULE")]
    AddRule = 4,

    [JsonStringEnumMemberName("REMOVE_RULE")]
    RemoveRule = 5,

    /// <summary>Stores a client's side; opens a release where none is open.</summary>
    [JsonStringEnumMemberName("SET_CLIENT")]
    SetClient = 6,

    [JsonStringEnumMemberName("PROMOTE")]
    Promote = 7,

    [JsonStringEnumMemberName("WITHDRAW")]
    Withdraw = 8,

    /// <summary>Takes back what has begun and not ended.</summary>
    [JsonStringEnumMemberName("CANCEL")]
    Cancel = 9,

    /// <summary>Ends what has begun without waiting for what is missing.</summary>
    [JsonStringEnumMemberName("FORCE")]
    Force = 10,
}

/// <summary>One change of the gray state (this project's request 30101). What an action does not need is left out.</summary>
public sealed record GrayCommand
{
    /// <summary>
    /// When a release is opened: how long the queues of the last gray client, gone without being drained, wait for another, in
    /// milliseconds; -1 for ever; null for the default.
    /// </summary>
    public long? AbsenceMs { get; set; }

    public GrayAction Action { get; set; }

    /// <summary>A client's address or CIDR range, of a rule.</summary>
    public string? Address { get; set; }

    /// <summary>A client's id.</summary>
    public string? Client { get; set; }

    /// <summary>A glob of client ids, of a rule.</summary>
    public string? ClientGlob { get; set; }

    /// <summary>The side that a client is set to.</summary>
    public bool? Gray { get; set; }

    /// <summary>A consumer group, or with <see cref="Producer"/> a producer group.</summary>
    public string? Group { get; set; }

    /// <summary>
    /// When a release is opened: gray queues of a topic to which the gray side does not subscribe are held, and not given to the normal side.
    /// </summary>
    public bool Hold { get; set; }

    /// <summary>Whether the group is one of producers.</summary>
    public bool Producer { get; set; }

    /// <summary>Of a promotion: the normal side is retired, and the gray side takes all queues.</summary>
    public bool Replace { get; set; }

    /// <summary>Gray queues at each broker.</summary>
    public int? Size { get; set; }

    /// <summary>Of a withdrawal: what is left is skipped (true) or falls to the normal side (false); null is refused.</summary>
    public bool? SkipLeftover { get; set; }

    public string? Topic { get; set; }
}

/// <summary>What was changed in the gray state, the newest first (this project's request 30104).</summary>
public sealed record GrayHistory
{
    public List<GrayHistoryEntry> Entries { get; set => field = value ?? []; } = [];
}

/// <summary>A change that was made.</summary>
public sealed record GrayHistoryEntry
{
    /// <summary>Milliseconds since 1970.</summary>
    public long At { get; set; }

    /// <summary>The command as JSON.</summary>
    public string Command { get; set => field = value ?? ""; } = "";

    public string Epoch { get; set => field = value ?? ""; } = "";

    /// <summary>Address that the command came from; that of the name server when it did it by itself.</summary>
    public string From { get; set => field = value ?? ""; } = "";

    /// <summary>Who gave the command.</summary>
    public string Operator { get; set => field = value ?? ""; } = "";

    /// <summary>The topic or group that it is about.</summary>
    public string Subject { get; set => field = value ?? ""; } = "";

    /// <summary>What came of it, in words.</summary>
    public string Summary { get; set => field = value ?? ""; } = "";

    /// <summary>The version that it made; of no two entries the same.</summary>
    public long Version { get; set; }
}
