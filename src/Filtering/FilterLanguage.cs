namespace GrayMQ.Filtering;

/// <summary>How a condition on message properties is written.</summary>
public enum FilterLanguage
{
    /// <summary>SQL92 as RocketMQ has it.</summary>
    Sql92,

    /// <summary>The C-like expressions of old clients.</summary>
    Header,
}
