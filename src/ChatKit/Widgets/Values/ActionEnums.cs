using System.Text.Json.Serialization;
using ChatKit.Json;

namespace ChatKit.Widgets;

/// <summary>Who handles an action.</summary>
[JsonConverter(typeof(WireEnumConverter<ActionHandler>))]
public enum ActionHandler
{
    /// <summary>The ChatKit server. The default.</summary>
    Server,

    /// <summary>The page; nothing is sent to the server.</summary>
    Client,
}

/// <summary>What shows that an action is under way.</summary>
[JsonConverter(typeof(WireEnumConverter<LoadingBehavior>))]
public enum LoadingBehavior
{
    /// <summary>By place: a button shows it itself, a selection not at all, a card as a whole. The default.</summary>
    Auto,

    /// <summary>Nothing.</summary>
    None,

    /// <summary>The node that was used.</summary>
    Self,

    /// <summary>The whole widget fades and takes no input.</summary>
    Container,
}
