namespace GrayMQ.Protocol.Commands;

/// <summary>Languages by the names that JSON gives them.</summary>
public static class LanguageCodeNames
{
    /// <summary>For instance JAVA, or NODE_JS.</summary>
    public static string ToName(this LanguageCode code) => CommandWriter.LanguageNames[(int)code];
}
