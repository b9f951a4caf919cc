//! Room: the content of files: read where it is, and taken into memory before it is changed.

use super::tree::{Body, NodeId, Times, Tree};
use crate::kernel::directory::{File, Found};
use crate::kernel::prelude::*;
use crate::kernel::sandbox::errno::{Errno, Halt};
use crate::kernel::sandbox::guest::copy;
use crate::kernel::sandbox::meter::Meter;
use alloc::sync::Arc;

/// How much of a file of the host is read between two looks at the clock.
pub(crate) const PIECE_BYTES: usize = 1 << 20;

/// What `filestat` tells of a node.
pub(crate) struct Status {
    pub(crate) device: u64,
    pub(crate) kind: u8,
    pub(crate) names: u64,
    pub(crate) size: u64,
    pub(crate) times: Times,
}

impl Tree {
    /// Type, size and times. `file` is the host's file, if it is open.
    // [BOX-67]
    pub(crate) fn status(
        &self,
        id: NodeId,
        file: Option<&Arc<dyn File>>,
        meter: &mut Meter,
    ) -> Result<Status, Halt> {
        let size = match file {
            None if self.is_host_file(id)? => match self.open_host(id, meter)? {
                Some(file) => file.size()?,
                None => 0,
            },
            file => self.size(id, file)?,
        };
        let node = self.node(id)?;
        let device = u64::try_from(node.mount).unwrap_or(u64::MAX).saturating_add(1);
        Ok(Status { device, kind: self.kind(id)?, names: node.names, size, times: node.times })
    }

    /// The size of an open file; of others what they hold in memory.
    pub(crate) fn size(&self, id: NodeId, file: Option<&Arc<dyn File>>) -> Result<u64, Errno> {
        match file {
            Some(file) if self.is_host_file(id)? => Ok(file.size()?),
            _ => Ok(u64::try_from(self.bytes(id)?.len()).unwrap_or(u64::MAX)),
        }
    }

    /// Whether its content lies on the host.
    fn is_host_file(&self, id: NodeId) -> Result<bool, Errno> {
        Ok(self.node(id)?.host.is_some() && !self.is_directory(id))
    }

    /// What a file holds in memory, or a link.
    pub(crate) fn bytes(&self, id: NodeId) -> Result<&[u8], Errno> {
        Ok(match &self.node(id)?.body {
            Body::Directory { .. } => &[],
            Body::File(content) => content,
            Body::Asset(path) => self.assets.get(path).map_or(&[], Vec::as_slice),
            Body::Link(target) => target.as_bytes(),
        })
    }

    /// Opens a file of the host, unless its content is in memory. `EIO`: it is a directory by now.
    pub(crate) fn open_host(
        &self,
        id: NodeId,
        meter: &mut Meter,
    ) -> Result<Option<Arc<dyn File>>, Halt> {
        let (node, mount) = (self.node(id)?, self.mount_of(id)?);
        let (Some(location), Some(host)) = (&node.host, &mount.host) else { return Ok(None) };
        match self.look(host, location, meter)? {
            Found::File(file) => Ok(Some(file)),
            Found::Directory(_) => Err(Errno::IO.into()),
        }
    }

    /// Reads from an offset of an open file; gives the number of bytes, fewer than asked for at its end.
    pub(crate) fn read(
        &self,
        id: NodeId,
        file: Option<&Arc<dyn File>>,
        offset: u64,
        buffer: &mut [u8],
    ) -> Result<usize, Errno> {
        if let Some(file) = file.filter(|_| self.node(id).is_ok_and(|node| node.host.is_some())) {
            return Ok(file.read_at(offset, buffer)?);
        }
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = self.bytes(id)?.get(from..).unwrap_or(&[]);
        copy(buffer, rest);
        Ok(rest.len().min(buffer.len()))
    }

    /// Takes a file of the host into memory, with its content unless that is about to go.
    // [BOX-80]
    pub(super) fn take_in(
        &mut self,
        id: NodeId,
        keep: bool,
        meter: &mut Meter,
    ) -> Result<(), Halt> {
        if !self.is_host_file(id)? {
            return Ok(());
        }
        self.note_origin(id, meter)?;
        let file = self.open_host(id, meter)?.filter(|_| keep);
        let size = file.as_ref().map_or(Ok(0), |file| file.size())?;
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        self.require_room(id, 1, 1, size)?;
        let mut content = Vec::new();
        while let Some(file) = &file {
            let piece = PIECE_BYTES.min(size.saturating_sub(content.len()));
            meter.charge_bytes(piece)?;
            let end = content.len();
            content.resize(end.saturating_add(piece), 0);
            let offset = u64::try_from(end).unwrap_or(u64::MAX);
            let read = file.read_at(offset, content.get_mut(end..).unwrap_or(&mut []))?;
            if read < piece || piece == 0 {
                content.truncate(end.saturating_add(read));
                break;
            }
        }
        Ok(self.make_own(id, Some(Body::File(content)))?)
    }

    /// The bytes of a file from an offset on, to be written; the file grows if it has to. `ENOSPC`.
    // [BOX-80] [BOX-81]
    pub(crate) fn writable(
        &mut self,
        id: NodeId,
        offset: u64,
        length: usize,
        meter: &mut Meter,
    ) -> Result<&mut [u8], Halt> {
        let from = usize::try_from(offset).map_err(|_| Errno::NOSPC)?;
        let end = from.checked_add(length).ok_or(Errno::NOSPC)?;
        self.grow(id, end, meter)?;
        self.touch(id)?;
        match &mut self.node_mut(id)?.body {
            Body::File(content) => Ok(content.get_mut(from..end).ok_or(Errno::IO)?),
            _ => Err(Errno::IO.into()),
        }
    }

    /// Makes an open file at least so long; one that is leaves the host's as it is. `ENOSPC`.
    pub(crate) fn allocate(
        &mut self,
        id: NodeId,
        file: Option<&Arc<dyn File>>,
        length: usize,
        meter: &mut Meter,
    ) -> Result<(), Halt> {
        match self.size(id, file)? >= u64::try_from(length).unwrap_or(u64::MAX) {
            true => Ok(()),
            false => self.grow(id, length, meter),
        }
    }

    /// Makes a file at least so long. `ENOSPC`, found out before anything is read or allocated.
    fn grow(&mut self, id: NodeId, length: usize, meter: &mut Meter) -> Result<(), Halt> {
        self.require_growth(id, length)?;
        self.take_in(id, true, meter)?;
        let added = length.saturating_sub(self.bytes(id)?.len());
        if added == 0 {
            return Ok(());
        }
        meter.charge_bytes(added)?;
        self.touch(id)?;
        Ok(self.set_length(id, length)?)
    }

    /// Makes a file so long, by cutting it or by adding zeros.
    pub(crate) fn truncate(
        &mut self,
        id: NodeId,
        length: u64,
        meter: &mut Meter,
    ) -> Result<(), Halt> {
        let length = usize::try_from(length).map_err(|_| Errno::NOSPC)?;
        match length {
            0 => self.take_in(id, false, meter)?,
            _ => self.grow(id, length, meter)?,
        }
        self.set_length(id, length)?;
        Ok(self.touch(id)?)
    }

    /// Sets the times that are given.
    pub(crate) fn set_times(
        &mut self,
        id: NodeId,
        accessed: Option<u64>,
        modified: Option<u64>,
    ) -> Result<(), Errno> {
        self.require_writable(id)?;
        let now = self.now;
        let times = &mut self.node_mut(id)?.times;
        *times = Times {
            accessed: accessed.unwrap_or(times.accessed),
            modified: modified.unwrap_or(times.modified),
            changed: now,
        };
        Ok(())
    }
}
